//! A run in containers: each stage in its own image, through podman or docker.
//!
//! A container sees the artifacts that its stage takes, read-only, the directory of the one that it writes, and the flow
//! files; it has no network, no capabilities and a read-only root. It runs as the owner of the run directory, so that files
//! belong to that user.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use clap::ValueEnum;
use weir_artifact::Artifact;
use weir_contract::files;
use weir_pipeline::local::{Call, Values, calls, defaults};
use weir_pipeline::{Dag, Input, Node, Outcome, PipelineSpec, StageRunner};
use weir_stage::{Failure, SimdArg, Stage};

use super::Args;

/// Where containers see the run directory.
const RUN: &str = "/weir/run";
/// Where they see flow files.
const FLOWS: &str = "/weir/flows";
/// Where they see a file with a feature set.
const FEATURE_SET: &str = "/weir/feature-set.toml";

/// Exit codes of docker and podman themselves: the container was not made, or its program not started.
const NOT_STARTED: [i32; 3] = [125, 126, 127];
/// 128 + SIGKILL.
const KILLED: i32 = 137;

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "With --engine containers")]
pub(super) struct ContainerArgs {
    /// What runs containers [default: podman or docker, which of them answers]
    #[arg(long, value_enum, value_name = "TOOL")]
    container_tool: Option<Tool>,

    /// Registry of the images
    #[arg(long, value_name = "HOST[/PATH]", default_value = weir_pipeline::REGISTRY)]
    registry: String,

    /// Tag of the images [default: the version of this build]
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Tool {
    Podman,
    Docker,
}

/// Runs each stage in its container.
pub(super) struct Containers<'a> {
    tool: Tool,
    registry: String,
    tag: String,
    out: PathBuf,
    data: Vec<PathBuf>,
    feature_set: Option<PathBuf>,
    calls: Vec<Call>,
    user: String,
    stage: &'a Stage,
}

impl<'a> Containers<'a> {
    /// Checks all parameters, makes the run directory and looks for a tool that answers.
    pub(super) fn new(args: Args, dag: &Dag, stage: &'a Stage) -> Result<Self, Failure> {
        refuse(&args)?;
        let params = args.params.load()?;
        let data = absolute(args.flow_files()?)?;
        let feature_set = args.feature_set.as_ref().map(PathBuf::from).filter(|set| set.is_file());
        let feature_set = absolute(feature_set.into_iter().collect())?.pop();
        fs::create_dir_all(&args.out).map_err(|error| cannot_write(&args.out, &error))?;
        let out = absolute(vec![args.out.clone()])?.remove(0);
        let owner = fs::metadata(&out).map_err(|error| cannot_write(&out, &error))?;
        let mut values: Values = defaults(&PipelineSpec::default(), stage.version());
        values.insert("flows", data.iter().enumerate().map(|(number, file)| inside(number, file)).collect());
        values.insert("format", vec![args.format.map_or_else(String::new, |format| format.name().to_owned())]);
        values.insert("params", vec![params.to_toml()?]);
        let set = feature_set.as_ref().map(|_| FEATURE_SET.to_owned()).or(args.feature_set);
        values.insert("feature-set", vec![set.unwrap_or_default()]);
        Ok(Self {
            tool: args.containers.container_tool.map_or_else(find, Ok)?,
            registry: args.containers.registry,
            tag: args.containers.tag.unwrap_or_else(|| stage.version().to_owned()),
            calls: calls(dag, &values, |output| format!("{RUN}/{output}")),
            user: format!("{}:{}", owner.uid(), owner.gid()),
            out,
            data,
            feature_set,
            stage,
        })
    }

    /// The command line that runs `call` in a container called `name`.
    fn command(&self, call: &Call, name: &str) -> Command {
        let mut command = Command::new(self.tool.program());
        command.args(["run", "--rm", "--name", name, "--network", "none", "--read-only", "--cap-drop", "ALL"]);
        command.args(["--security-opt", "no-new-privileges", "--security-opt", "label=disable", "--user", &self.user]);
        let mut mount = |from: &Path, to: &str, readonly: bool| {
            let readonly = if readonly { ",readonly" } else { "" };
            command.arg("--mount").arg(format!("type=bind,source={},target={to}{readonly}", from.display()));
        };
        for input in &call.inputs {
            mount(&self.out.join(input), &format!("{RUN}/{input}"), true);
        }
        mount(&self.out.join(&call.output), &format!("{RUN}/{}", call.output), false);
        // Only the step without inputs reads flows.
        if call.inputs.is_empty() {
            for (number, file) in self.data.iter().enumerate() {
                mount(file, &inside(number, file), true);
            }
            if let Some(file) = &self.feature_set {
                mount(file, FEATURE_SET, true);
            }
        }
        command.arg(format!("{}/{}:{}", self.registry, call.image, self.tag));
        command.args(&call.command).args(self.common());
        command
    }

    /// The common options of this run.
    fn common(&self) -> Vec<String> {
        let common = self.stage.common();
        let mut options = Vec::new();
        options.extend(common.jobs.iter().flat_map(|jobs| ["--jobs".to_owned(), jobs.to_string()]));
        let flags = [(common.force, "--force"), (common.quiet, "--quiet"), (common.verbose, "--verbose")];
        options.extend(flags.iter().filter(|(on, _)| *on).map(|(_, flag)| (*flag).to_owned()));
        if common.simd == SimdArg::Scalar {
            options.extend(["--simd".to_owned(), "scalar".to_owned()]);
        }
        options
    }

    /// Waits for the container; stops it when the run should stop.
    fn wait(&self, mut child: Child, name: &str) -> Result<Option<i32>, Failure> {
        let failed = |error: io::Error| Failure::retry(format!("failed to wait for the container: {error}"));
        loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                self.stage.check()?;
                return Ok(status.code());
            }
            if self.stage.is_cancelled() {
                let mut stop = Command::new(self.tool.program());
                let stopped = stop.args(["stop", "--time", "10", name]).stdout(Stdio::null()).stderr(Stdio::null());
                // A container that ended by itself in between is no failure.
                let _ = stopped.status();
                child.wait().map_err(failed)?;
                return Err(Failure::interrupted());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn failure(&self, code: Option<i32>, call: &Call) -> Failure {
        let image = format!("{}/{}:{}", self.registry, call.image, self.tag);
        match code {
            Some(code) if NOT_STARTED.contains(&code) => {
                Failure::usage(format!("{} did not start image {image}; it says why above", self.tool.program()))
                    .hint("build the images with pipeline/images/build, or name others with --registry and --tag")
            }
            Some(KILLED) => Failure::retry(format!("the container of {image} was killed, perhaps for want of memory")),
            Some(code) => {
                let message = format!("the container of {image} ended with exit code {code}; it says why above");
                match code {
                    2 => Failure::usage(message),
                    3 => Failure::input(message),
                    4 => Failure::gate(message),
                    _ => Failure::retry(message),
                }
            }
            None => Failure::retry(format!("{} was killed while it ran {image}", self.tool.program())),
        }
    }
}

impl StageRunner for Containers<'_> {
    type Error = Failure;

    fn run(&self, node: &Node, _: &[Input<'_>]) -> Result<Outcome, Failure> {
        self.stage.check()?;
        let begin = Instant::now();
        let call = self.calls.iter().find(|call| call.id == node.id.as_str()).expect("every node has its call");
        let dir = self.out.join(&call.output);
        fs::create_dir_all(&dir).map_err(|error| cannot_write(&dir, &error))?;
        let before = written(&dir);
        let name = format!("weir-{}-{}", std::process::id(), call.id.replace('/', "-"));
        let mut command = self.command(call, &name);
        // Stdout is for the result of the run as a whole.
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let child =
            spawned.map_err(|error| Failure::usage(format!("failed to start {}: {error}", self.tool.program())))?;
        match self.wait(child, &name)? {
            Some(0) => {
                let digest = Artifact::open(&dir)?.digest();
                let skipped = before.is_some() && before == written(&dir);
                Ok(Outcome { digest, skipped, seconds: begin.elapsed().as_secs_f64() })
            }
            code => Err(self.failure(code, call)),
        }
    }
}

impl Tool {
    fn program(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Docker => "docker",
        }
    }

    /// Whether it is there and its service answers.
    fn answers(self) -> bool {
        let version = Command::new(self.program()).arg("info").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    }
}

fn find() -> Result<Tool, Failure> {
    let found = Tool::value_variants().iter().copied().find(|tool| tool.answers());
    found.ok_or_else(|| {
        Failure::usage("neither podman nor docker answers")
            .hint("install podman, or start the docker daemon; --engine in-process needs neither")
    })
}

/// Options that only this process heeds.
fn refuse(args: &Args) -> Result<(), Failure> {
    let given = [
        (args.budget.is_some(), "--budget"),
        (args.memory.is_some(), "--memory"),
        (args.signing_key.is_some(), "--signing-key"),
    ];
    match given.iter().find(|(given, _)| *given) {
        None => Ok(()),
        Some((_, option)) => Err(Failure::usage(format!("{option} is not for --engine containers"))
            .hint("run the stage that takes it by itself: weir train, weir package")),
    }
}

/// Where containers see flow file `number`.
fn inside(number: usize, file: &Path) -> String {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{FLOWS}/{number}/{name}")
}

/// Mounts want whole paths, and no comma, which separates their parts.
fn absolute(paths: Vec<PathBuf>) -> Result<Vec<PathBuf>, Failure> {
    let whole = |path: PathBuf| {
        let whole = path
            .canonicalize()
            .map_err(|error| Failure::input(format!("failed to open {}: {error}", path.display())))?;
        match whole.to_str() {
            Some(text) if !text.contains(',') => Ok(whole),
            _ => Err(Failure::usage(format!("{} cannot be mounted into a container", whole.display()))
                .hint("rename it: no comma, and UTF-8 only")),
        }
    };
    paths.into_iter().map(whole).collect()
}

/// When the artifact's manifest was written.
fn written(dir: &Path) -> Option<SystemTime> {
    fs::metadata(dir.join(files::MANIFEST)).and_then(|manifest| manifest.modified()).ok()
}

fn cannot_write(dir: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("failed to write to {}: {error}", dir.display())).hint("name another directory with --out")
}
