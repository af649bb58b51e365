//! The stage: logs in, the artifact of the detection out.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use weir_accesslog::{ClientField, Counts, LogError, Settings, Source, count};
use weir_artifact::{Artifact, Draft, Expectation};
use weir_contract::blocklist::Detection;
use weir_contract::digest::Digester;
use weir_contract::files::{BLOCKED_IPS, DETECTION, RUN_INFO};
use weir_contract::{Digest, Seed, json};
use weir_report::BlockReport;
use weir_stage::{Failure, RunClock, Stage};

use super::detect;
use crate::BlocklistParams;
use crate::allow::{AllowList, parse};
use crate::out::{self, Decision, PolicyTarget};

/// Name of the stage in manifests.
pub const STAGE: &str = "block-detect";
/// The stage whose artifacts hold logs.
const FETCH: &str = "block-fetch";
/// Folder of the logs in such an artifact.
const FOLDER: &str = "logs/";
/// File of the page about a detection.
pub const REPORT: &str = "report.html";

/// What a run of the stage is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The logs.
    pub logs: Logs,
    /// The checked parameters.
    pub params: BlocklistParams,
    /// Seed of the clustering.
    pub seed: Seed,
    /// Who is never listed.
    pub allow: AllowList,
    /// Requests before are left out, seconds since 1970 UTC.
    pub since: Option<i64>,
    /// Requests from then on are left out.
    pub until: Option<i64>,
    /// Directory of the artifact to write.
    pub out: PathBuf,
}

/// Where logs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logs {
    /// In an artifact of stage `block-fetch`.
    Artifact(PathBuf),
    /// In these files; `-` is standard input.
    Files(Vec<PathBuf>),
}

/// What a run of the stage left.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The artifact.
    pub artifact: Artifact,
    /// Whether it was there already.
    pub skipped: bool,
}

/// Counts the logs, detects, and commits `detection.json`, `blocked_ips.txt`, the files of [`crate::out`] and
/// `report.html` to `request.out`. Of an artifact of logs nothing is computed again where the detection of the same logs,
/// parameters and build is there and `--force` was not given; files have to be read to know whether they are the same.
///
/// No file of the artifact names an allowed client: the manifest has a digest in the place of the allow list.
///
/// # Errors
/// Failures of input (exit 3) for logs that cannot be read or are none, and a directory that is no whole artifact of
/// logs; of usage (exit 2) for a client field or a proxy that is none, and an output directory in use; to be retried
/// (exit 1) when writing fails; interruption (exit 130).
pub fn run(request: &Request, stage: &Stage) -> Result<Outcome, Failure> {
    let mut clock = stage.clock();
    let settings = settings(request)?;
    Draft::check(&request.out)?;
    let (counts, inputs) = match &request.logs {
        Logs::Artifact(dir) => {
            let logs = open_logs(dir)?;
            let inputs = BTreeMap::from([("logs".to_owned(), logs.digest())]);
            let expectation = expectation(request, inputs.clone())?;
            if !stage.common().force
                && let Some(artifact) = Artifact::open_current(&request.out, &expectation)?
            {
                return Ok(Outcome { artifact, skipped: true });
            }
            let files = logs.manifest().files.iter().filter(|file| file.path.starts_with(FOLDER));
            let files: Vec<PathBuf> = files.map(|file| logs.dir().join(&file.path)).collect();
            (clock.part("count", || read(&files, &settings, stage))?.0, inputs)
        }
        Logs::Files(files) => {
            let (counts, digests) = clock.part("count", || read(files, &settings, stage))?;
            let name = |(number, digest)| (format!("log/{number}"), digest);
            (counts, digests.into_iter().enumerate().map(name).collect())
        }
    };
    let artifact = commit(request, &counts, inputs, clock, stage)?;
    Ok(Outcome { artifact, skipped: false })
}

/// Detects in `counts`, which come of `inputs`, and writes the artifact.
///
/// # Errors
/// As [`run`].
pub(crate) fn commit(
    request: &Request,
    counts: &Counts,
    inputs: BTreeMap<String, Digest>,
    mut clock: RunClock,
    stage: &Stage,
) -> Result<Artifact, Failure> {
    let detection = clock.part("detect", || detect(counts, &request.params, request.seed, &request.allow));
    stage.check()?;

    let mut draft = Draft::begin(&request.out)?;
    write(&draft, &detection, &request.params, stage)?;
    let run_info = json::to_canonical(&clock.run_info(""))
        .map_err(|error| Failure::retry(format!("failed to write {RUN_INFO} as JSON: {error}")))?;
    draft.write_unsealed(RUN_INFO, &run_info)?;
    let rows = [("requests", detection.log.requests), ("listed", detection.listed.len() as u64)];
    let rows = rows.map(|(name, count)| (name.to_owned(), count)).into();
    Ok(draft.commit(expectation(request, inputs)?.seal(rows))?)
}

fn expectation(request: &Request, inputs: BTreeMap<String, Digest>) -> Result<Expectation, Failure> {
    let Request { params, allow, since, until, .. } = request;
    let proxies = AllowList::new(parse("blocklist.trusted_proxies", &params.trusted_proxies)?);
    Ok(Expectation {
        stage: STAGE.to_owned(),
        build: env!("WEIR_BUILD_ID").to_owned(),
        inputs,
        parameters: json!({
            "blocklist": unnamed(params)?,
            "allow_sha256": allow.digest(),
            "trusted_proxies_sha256": proxies.digest(),
            "since": since,
            "until": until,
        }),
        seed: Some(request.seed),
    })
}

/// `params` without the lists of those who are named nowhere.
fn unnamed(params: &BlocklistParams) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(params)
        .map_err(|error| Failure::retry(format!("failed to write the parameters as JSON: {error}")))?;
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, _| !["allow", "own", "trusted_proxies"].contains(&name.as_str()));
    }
    Ok(value)
}

pub(crate) fn settings(request: &Request) -> Result<Settings, Failure> {
    let params = &request.params;
    let client_field = params.client_field.parse();
    let client_field =
        client_field.map_err(|error: String| Failure::usage(format!("blocklist.client_field: {error}")))?;
    let trusted_proxies = parse("blocklist.trusted_proxies", &params.trusted_proxies)?;
    if client_field != ClientField::Remote && trusted_proxies.is_empty() {
        let message = "the client is to be taken from a header, and there is no proxy whose word is taken for it";
        return Err(Failure::usage(message).hint("name your proxies with --trusted-proxy; others can send any header"));
    }
    Ok(Settings {
        client_field,
        trusted_proxies,
        since: request.since,
        until: request.until,
        maximum_clients: usize::try_from(params.maximum_clients).unwrap_or(usize::MAX),
    })
}

fn open_logs(dir: &Path) -> Result<Artifact, Failure> {
    let logs = Artifact::open(dir)?;
    let made_by = &logs.manifest().stage;
    if made_by != FETCH {
        return Err(Failure::input(format!("{} was made by stage {made_by}", dir.display()))
            .hint(format!("give an artifact of stage {FETCH} with --logs, or files with --log")));
    }
    Ok(logs)
}

/// The counts of `files`, and the digest of each file's bytes, in the order given.
fn read(files: &[PathBuf], settings: &Settings, stage: &Stage) -> Result<(Counts, Vec<Digest>), Failure> {
    each_once(files)?;
    let digesters: Vec<Arc<Mutex<Digester>>> = files.iter().map(|_| Arc::default()).collect();
    let source = |(path, digester): (&PathBuf, &Arc<Mutex<Digester>>)| {
        let digester = Arc::clone(digester);
        if path == Path::new("-") {
            return Source::stream("standard input", Digesting { input: io::stdin(), digester });
        }
        Source::file_through(path, |file| Box::new(Digesting { input: file, digester }))
    };
    let sources = files.iter().zip(&digesters).map(source).collect();
    let counts = count(sources, settings, |_| !stage.is_cancelled()).map_err(|error| match error {
        LogError::Stopped => Failure::interrupted(),
        error => Failure::input(error.to_string()),
    })?;
    let digest =
        |digester: Arc<Mutex<Digester>>| digester.lock().unwrap_or_else(PoisonError::into_inner).clone().finish();
    Ok((counts, digesters.into_iter().map(digest).collect()))
}

/// Refuses a file that is named twice, whose requests would count twice.
fn each_once(files: &[PathBuf]) -> Result<(), Failure> {
    let mut known: BTreeMap<(u64, u64), &PathBuf> = BTreeMap::new();
    for path in files {
        let Ok(metadata) = path.metadata() else { continue };
        if let Some(other) = known.insert((metadata.dev(), metadata.ino()), path) {
            return Err(Failure::usage(format!("{} and {} are the same file", other.display(), path.display()))
                .hint("name every log once"));
        }
    }
    Ok(())
}

/// Bytes that are digested on their way.
struct Digesting<R> {
    input: R,
    digester: Arc<Mutex<Digester>>,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.read(buffer)?;
        self.digester.lock().unwrap_or_else(PoisonError::into_inner).write_all(&buffer[..bytes])?;
        Ok(bytes)
    }
}

/// Writes everything that is sealed. In the files for enforcers blocks are `block_seconds` long, whenever they are read.
fn write(draft: &Draft, detection: &Detection, params: &BlocklistParams, stage: &Stage) -> Result<(), Failure> {
    let blocks = out::blocks(detection, i64::try_from(params.block_seconds).unwrap_or(i64::MAX));
    let decisions: Vec<Decision> = blocks.iter().map(|block| Decision::active(*block, 0)).collect();
    let target = PolicyTarget::default();
    let yaml = |policy: Value| out::to_yaml(&policy).map_err(|error| Failure::retry(error.to_string()));
    let network_policy = out::NETWORK_POLICY_NOTE.to_owned() + &yaml(out::network_policy(&blocks, &target))?;
    let cilium_network_policy = match out::cilium_network_policy(&blocks, &target) {
        Some(policy) => yaml(policy)?,
        None => out::NO_CILIUM_NETWORK_POLICY.to_owned(),
    };
    let report = BlockReport { title: "Blocklist", version: stage.version(), detection, parameters: shown(params)? };
    let report = weir_report::render_block(&report)?;
    draft.write_json(DETECTION, detection)?;
    draft.write(BLOCKED_IPS, out::blocked_ips(blocks.iter().map(|block| block.address)).as_bytes())?;
    draft.write_json(out::DECISIONS, &decisions)?;
    draft.write(out::NFTABLES, out::nftables(&blocks, 0).as_bytes())?;
    draft.write(out::IPSET, out::ipset(&blocks, 0).as_bytes())?;
    draft.write(out::NETWORK_POLICY, network_policy.as_bytes())?;
    draft.write(out::CILIUM_NETWORK_POLICY, cilium_network_policy.as_bytes())?;
    draft.write(REPORT, report.as_bytes())?;
    Ok(())
}

/// The parameters that decide, as the report shows them.
fn shown(params: &BlocklistParams) -> Result<Vec<(String, String)>, Failure> {
    let value = unnamed(params)?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect())
}
