//! Arguments of `detect`, and what it prints.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser};
use weir_contract::Digest;
use weir_contract::blocklist::{Detection, Evidence, FORMAT};
use weir_contract::files::DETECTION;
use weir_stage::{CommonArgs, Failure, ParamsArgs, Results, ResultsArgs, Stage};

use super::time::{now, parse};
use super::{Logs, Request, run};
use crate::BlocklistParams;
use crate::allow::AllowArgs;
use crate::fetch::shown;
use crate::params::load;

/// Find the clients that flood a web server, by its access logs
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(group(ArgGroup::new("input").args(["log", "logs"]).required(true)))]
pub struct DetectArgs {
    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,

    /// Access logs, plain, gzip or zstd, in any order; - for standard input
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub log: Vec<PathBuf>,

    /// Directory of fetched logs
    #[arg(long, value_name = "DIR")]
    pub logs: Option<PathBuf>,

    /// What counts.
    #[command(flatten)]
    pub look: LookArgs,

    /// Directory of the artifact
    #[arg(long, value_name = "DIR", default_value = "weir-block/detection")]
    pub out: PathBuf,

    /// Small results for workflow engines.
    #[command(flatten)]
    pub results: ResultsArgs,
}

/// Which requests count, whose they are, and who is never listed.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct LookArgs {
    /// Only requests since then: a time such as 2026-11-21T08:00:00Z, or 1h for the last hour
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,

    /// Only requests before then
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,

    /// Who is never listed.
    #[command(flatten)]
    pub allow: AllowArgs,

    /// Believe these proxies who the client is, and never list them
    #[arg(long, num_args = 1.., value_name = "ADDRESS")]
    pub trusted_proxy: Vec<String>,

    /// Where a proxy's log has the client: the number of the quoted field after the user agent, or last
    #[arg(long, value_name = "FIELD")]
    pub client_header_field: Option<String>,

    /// Parameters.
    #[command(flatten)]
    pub params: ParamsArgs,
}

impl LookArgs {
    /// What to detect in `logs`, for an artifact at `out`.
    ///
    /// # Errors
    /// Failures of usage for wrong parameters, addresses and times.
    pub fn request(&self, logs: Logs, out: PathBuf) -> Result<Request, Failure> {
        let all = load(&self.params)?;
        let mut params: BlocklistParams = all.section("blocklist")?;
        params.trusted_proxies.extend(self.trusted_proxy.iter().cloned());
        if let Some(field) = &self.client_header_field {
            params.client_field.clone_from(field);
        }
        let now = now();
        let time =
            |argument: &str, text: &Option<String>| text.as_deref().map(|text| parse(argument, text, now)).transpose();
        Ok(Request {
            logs,
            allow: self.allow.load(&params)?,
            params,
            seed: all.seed(),
            since: time("--since", &self.since)?,
            until: time("--until", &self.until)?,
            out,
        })
    }
}

impl AsRef<CommonArgs> for DetectArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Runs the stage and prints who is listed, and why.
///
/// # Errors
/// Those of [`run`]; of usage (exit 2) for wrong parameters, addresses and times.
pub fn detect_command(args: DetectArgs, stage: &Stage) -> Result<(), Failure> {
    if let Some(url) = args.log.iter().filter_map(|log| log.to_str()).find(|log| log.contains("://")) {
        return Err(Failure::usage(format!("{} is no file", shown(url))).hint(
            "bring it here with `weir block fetch`, and give its artifact with --logs; `weir block run` takes URLs",
        ));
    }
    let logs = match args.logs {
        Some(dir) => Logs::Artifact(dir),
        None => Logs::Files(args.log),
    };
    let request = args.look.request(logs, args.out)?;
    let outcome = run(&request, stage)?;
    if outcome.skipped {
        stage.note(format!("{} is up to date", request.out.display()));
    }
    let detection: Detection = outcome.artifact.read_versioned(DETECTION, FORMAT)?;
    stage.result(&detection, || text(&detection))?;
    args.results.publish(&results(&detection, outcome.artifact.digest()))
}

fn results(detection: &Detection, digest: Digest) -> Results {
    let listed = detection.listed.len();
    Results {
        values: vec![("digest", digest.to_string()), ("listed", listed.to_string())],
        metrics: vec![("listed", listed as f64), ("spared", detection.spared.len() as f64)],
        confusion: None,
    }
}

/// What was read, the reason, and the listed, or else the spared, with their evidence.
pub(crate) fn text(detection: &Detection) -> String {
    let log = &detection.log;
    let mut text = format!("{} requests of {} clients", log.requests, log.clients);
    if let Some(missing) = log.missing {
        text += &format!(
            " that were counted, others with fewer were dropped, and up to {missing} requests of each may be missing"
        );
    }
    if log.unreadable > 0 {
        text += &format!(", {} unreadable lines", log.unreadable);
    }
    if log.outside > 0 {
        text += &format!(", {} requests outside the time asked for", log.outside);
    }
    text += &format!("\n{}\n", detection.reason);
    let listed = detection.listed.iter().map(|suspect| (suspect.client.to_string(), &suspect.evidence)).collect();
    let spared = detection.spared.iter().map(|spared| (spared.client.to_string(), &spared.evidence)).collect();
    text + &table("listed", listed) + &table("spared", spared)
}

/// Nothing for nobody.
fn table(title: &str, rows: Vec<(String, &Evidence)>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let width = rows.iter().map(|(client, _)| client.len()).max().unwrap_or(0).max(title.len());
    let mut text = format!(
        "\n{title:width$}  {:>9}  {:>7}  {:>9}  {:>8}  {:>7}\n",
        "requests", "share", "surplus", "in 10 s", "in 1 s"
    );
    for (client, evidence) in rows {
        let Evidence { requests, share, surplus, peak_ten_seconds, peak_second, .. } = evidence;
        let (ten, one, share) = (peak_ten_seconds.count, peak_second.count, share * 100.0);
        text += &format!("{client:width$}  {requests:>9}  {share:>5.1} %  {surplus:>9}  {ten:>8}  {one:>7}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_refused_without_its_secrets() {
        let args =
            DetectArgs::try_parse_from(["detect", "--log", "https://me:word@logs.example.org/a?token=x"]).unwrap();
        let refused = detect_command(args, &Stage::silent()).unwrap_err();
        assert_eq!(refused.message, "https://logs.example.org/a is no file");
        assert!(refused.hint.unwrap().contains("`weir block fetch`"));
    }
}
