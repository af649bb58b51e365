//! The stage `block-detect` on logs in files.

mod allowed;
mod logs;
mod simulated;
mod stage;

use std::path::{Path, PathBuf};

use weir_blocklist::BlocklistParams;
use weir_blocklist::allow::AllowList;
use weir_blocklist::detect::{Logs, Outcome, Request, run};
use weir_contract::Seed;
use weir_contract::blocklist::Detection;
use weir_contract::files::DETECTION;
use weir_stage::{Failure, Stage};

/// A request for a detection in `out` by default parameters.
fn request(logs: &[&Path], out: &Path) -> Request {
    Request {
        logs: Logs::Files(logs.iter().map(|&path| path.to_owned()).collect()),
        params: BlocklistParams::default(),
        seed: Seed(42),
        allow: AllowList::default(),
        since: None,
        until: None,
        out: out.to_owned(),
    }
}

fn detected(request: &Request) -> Result<(Outcome, Detection), Failure> {
    let outcome = run(request, &Stage::silent())?;
    let detection = outcome.artifact.read_json(DETECTION)?;
    Ok((outcome, detection))
}

/// A line of the combined format: the client, seconds after 2026-11-21 08:00:00 UTC (less than an hour), path, status,
/// user agent.
fn line(client: &str, second: u32, path: &str, status: u16, agent: &str) -> String {
    let (minute, second) = (second / 60, second % 60);
    format!(
        "{client} - - [21/Nov/2026:08:{minute:02}:{second:02} +0000] \"GET {path} HTTP/1.1\" {status} 512 \"-\" \"{agent}\"\n"
    )
}

/// All files of a directory and below.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}
