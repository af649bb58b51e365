//! `weir simulate`: labelled traffic of a small cluster, access logs of a web server.

mod access_log;
mod flows;

use std::io::{self, Write};
use std::path::Path;

use clap::{Parser, Subcommand};
use weir_stage::{CommonArgs, Failure, Stage};

use super::output::{self, Output};

#[derive(Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Flows in the form of a Packetbeat CSV export
    Flows(flows::Args),
    /// An access log in the combined format, with floods in it if you like
    AccessLog(access_log::Args),
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        match &self.what {
            What::Flows(args) => &args.common,
            What::AccessLog(args) => &args.common,
        }
    }
}

pub(crate) fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    match args.what {
        What::Flows(args) => flows::command(&args, stage),
        What::AccessLog(args) => access_log::command(&args, stage),
    }
}

/// What `simulate` tells about what it wrote to `path` or stdout; none where a pipe was closed before the end.
fn write<S>(
    path: Option<&Path>,
    stage: &Stage,
    simulate: impl FnOnce(&mut Interruptible) -> io::Result<S>,
) -> Result<Option<S>, Failure> {
    let mut out = Output::open(path)?;
    let summary = match simulate(&mut Interruptible { out: &mut out, stage }) {
        Err(_) if stage.is_cancelled() => return Err(Failure::interrupted()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(None),
        summary => summary.map_err(|error| output::failure(path.unwrap_or(Path::new("stdout")), &error))?,
    };
    out.finish()?;
    Ok(Some(summary))
}

/// Stops writing on Ctrl-C.
struct Interruptible<'a> {
    out: &'a mut Output,
    stage: &'a Stage,
}

impl Write for Interruptible<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Another kind than Interrupted, after which a writer tries again.
        if self.stage.is_cancelled() { Err(io::Error::other("cancelled")) } else { self.out.write(bytes) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn time(text: &str) -> Result<i64, String> {
    weir_flows::parse_time(text).ok_or_else(|| "expected a time such as 2026-03-02T08:00:00Z".to_owned())
}
