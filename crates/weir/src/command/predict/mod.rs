//! `weir predict`: raw flows in, labels and scores out, in bounded memory.
//!
//! ```text
//! rows      records of a batch to lines of output
//! files     files: in pieces, on all threads, output in the order of input
//! pipe      pipes and files that grow: what is there is predicted at once
//! sink      where the lines go, and how many there were
//! ```

mod files;
mod pipe;
mod rows;
mod sink;

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::Parser;
use weir_bundle::{Bundle, VerifyingKey};
use weir_contract::Label;
use weir_flows::{FlowIds, Format};
use weir_stage::{CommonArgs, Failure, Stage};

use super::output::Output;
use rows::{Counts, Form, Rows};
use sink::Sink;

/// Flows without an id of their own that are remembered, to number identical ones: what a hash table of 2^20 places
/// holds before it grows, 35 MB.
const REMEMBERED: usize = 7 << 17;

#[derive(Parser)]
pub(crate) struct Args {
    /// Flow files, plain, gzip, zstd or Parquet, or - for stdin [default: stdin]
    #[arg(value_name = "FILE")]
    data: Vec<PathBuf>,

    /// Directory of the bundle
    #[arg(long, value_name = "DIR", default_value = "weir-run/package/bundle")]
    bundle: PathBuf,

    /// Public key of somebody whose bundles are trusted; others are refused. May be given more than once
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,

    /// Format of the flow files [default: recognised by their first bytes]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    /// File to write, CSV or with --json a JSON object per line [default: stdout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Write the flows with this label only: benign or malicious
    #[arg(long, value_name = "LABEL", value_parser = label)]
    only: Option<Label>,

    /// Go on as the file grows, until Ctrl-C or SIGTERM
    #[arg(long, requires = "data")]
    follow: bool,

    #[command(flatten)]
    common: CommonArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

fn label(text: &str) -> Result<Label, String> {
    text.parse().map_err(|()| "expected benign or malicious".to_owned())
}

pub(crate) fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let inputs = inputs(&args)?;
    let keys: Vec<_> = args.trust.iter().map(|path| VerifyingKey::read(path)).collect::<Result<_, _>>()?;
    let bundle = Bundle::open_from(&args.bundle, &keys)?;
    let form = if args.common.json { Form::Json } else { Form::Csv };
    let mut job = Job {
        format: args.format,
        rows: Rows { bundle: &bundle, form, only: args.only },
        ids: FlowIds::within(REMEMBERED),
        sink: Sink::new(Output::open(args.out.as_deref())?, form.head()),
        stage,
    };
    for input in inputs {
        match input {
            Input::File(path) => files::predict(path, &mut job)?,
            Input::Growing(path) => pipe::follow(path, &mut job)?,
            Input::Pipe(path) => pipe::read(path, &mut job)?,
        }
        if job.sink.is_closed() {
            return Ok(());
        }
    }
    let Counts { malicious, benign, refused, skipped } = job.sink.finish()?;
    stage.note(format!("{} records: {malicious} malicious, {benign} benign", malicious + benign + refused));
    if skipped > 0 {
        stage.note(format!("{skipped} further records are not about flows"));
    }
    if refused > 0 {
        stage.warn(format!("{refused} records have no prediction; the column reason says why"));
    }
    Ok(())
}

/// What goes from input to input.
struct Job<'a> {
    format: Option<Format>,
    rows: Rows<'a>,
    ids: FlowIds,
    sink: Sink,
    stage: &'a Stage,
}

/// What is read, and how.
enum Input<'a> {
    /// A file as it is.
    File(&'a Path),
    /// A file whose end is not the end.
    Growing(&'a Path),
    /// A pipe or a device; stdin for none.
    Pipe(Option<&'a Path>),
}

fn inputs(args: &Args) -> Result<Vec<Input<'_>>, Failure> {
    if args.data.is_empty() {
        if io::stdin().is_terminal() {
            return Err(Failure::usage("no flow files given and nothing piped in")
                .hint("name flow files, or pipe flows into the command"));
        }
        return Ok(vec![Input::Pipe(None)]);
    }
    if args.follow && args.data.len() > 1 {
        return Err(Failure::usage(format!("--follow takes one file, received {}", args.data.len()))
            .hint("run one command per file, or pipe tail -F into one"));
    }
    Ok(args.data.iter().map(|path| input(path, args.follow)).collect())
}

fn input(path: &Path, follow: bool) -> Input<'_> {
    if path == Path::new("-") {
        Input::Pipe(None)
    } else if path.metadata().is_ok_and(|data| !data.is_file() && !data.is_dir()) {
        Input::Pipe(Some(path))
    } else if follow {
        Input::Growing(path)
    } else {
        Input::File(path)
    }
}
