//! `weir block fetch`: its arguments.

use std::fs;
use std::path::PathBuf;

use clap::Parser;
use reqwest::header::HeaderValue;
use weir_fetch::Settings;
use weir_stage::{CommonArgs, Failure, Stage};

use super::{Request, fetch};

/// Bring access logs: files, URLs, standard input
#[derive(Debug, Clone, Parser)]
pub struct FetchArgs {
    /// Access logs, plain, gzip or zstd, in any order: paths, http(s) URLs, - for standard input
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// Directory of the artifact
    #[arg(long, value_name = "DIR", default_value = "weir-block/logs")]
    pub out: PathBuf,

    /// File with what the header Authorization says to servers, as in Bearer TOKEN
    #[arg(long, value_name = "FILE")]
    pub authorization_file: Option<PathBuf>,

    /// Certificates of the authorities that vouch for servers, in PEM [default: those of Mozilla]
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// Proxy to go through, as in http://proxy.example:3128
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for FetchArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Runs the stage as `args` say and prints where the logs are.
///
/// # Errors
/// As [`fetch`], and [`Failure`] of usage for files that `args` name and that cannot be read.
pub fn fetch_command(args: FetchArgs, stage: &Stage) -> Result<(), Failure> {
    let read = |option: &str, path: &PathBuf| {
        fs::read(path).map_err(|error| Failure::usage(format!("{option}: failed to read {}: {error}", path.display())))
    };
    let authorities = args.ca_file.as_ref().map(|path| read("--ca-file", path)).transpose()?;
    let authorization = match &args.authorization_file {
        None => None,
        Some(path) => {
            let bytes = read("--authorization-file", path)?;
            let mut value = HeaderValue::from_bytes(bytes.trim_ascii())
                .map_err(|_| Failure::usage(format!("{} holds more than one line of text", path.display())))?;
            value.set_sensitive(true);
            Some(value)
        }
    };
    let settings = Settings { proxy: args.proxy, authorities, authorization, ..Settings::default() };
    let outcome = fetch(&Request { sources: args.sources, out: args.out, settings }, stage)?;
    let artifact = &outcome.artifact;
    if outcome.skipped {
        stage.note(format!("{} is up to date", artifact.dir().display()));
    }
    let files = &artifact.manifest().files;
    let result = serde_json::json!({
        "artifact": artifact.dir(),
        "digest": artifact.digest(),
        "skipped": outcome.skipped,
        "files": files,
    });
    stage.result(&result, || {
        let line = |file: &weir_contract::manifest::FileEntry| {
            format!("{}  {} bytes", artifact.dir().join(&file.path).display(), file.size)
        };
        files.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
