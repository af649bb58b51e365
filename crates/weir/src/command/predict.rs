//! `weir predict`: raw flows in, labels and scores out.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Parser;
use serde::Serialize;
use weir_bundle::Bundle;
use weir_contract::Label;
use weir_flows::{Batch, FlowIds, FlowReader, Format};
use weir_stage::{CommonArgs, Failure, Stage};

use super::output::Output;

/// Rows that are predicted together.
const BATCH: usize = 8_192;

#[derive(Parser)]
pub(crate) struct Args {
    /// Flow files
    #[arg(required = true, value_name = "FILE")]
    data: Vec<PathBuf>,

    /// Directory of the bundle
    #[arg(long, value_name = "DIR", default_value = "weir-run/package/bundle")]
    bundle: PathBuf,

    /// Format of the flow files [default: recognised by their first bytes]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    /// File to write, CSV or with --json a JSON object per line [default: stdout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    common: CommonArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// One record of the input and what became of it.
#[derive(Serialize)]
struct Row<'a> {
    file: &'a str,
    line: u64,
    flow_id: Option<&'a str>,
    label: Option<&'static str>,
    score: Option<f64>,
    reason: Option<String>,
}

pub(crate) fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let bundle = Bundle::open(&args.bundle)?;
    let mut sink = Sink::new(Output::open(args.out.as_deref())?, args.common.json);
    let mut ids = FlowIds::default();
    for path in &args.data {
        let name = path.display().to_string();
        let mut reader = FlowReader::open(path, args.format)?;
        while let Some(mut batch) = reader.next_batch(BATCH)? {
            stage.check()?;
            ids.derive(&mut batch.flows);
            if !sink.batch(&bundle, &name, &batch)? {
                return Ok(());
            }
        }
    }
    let Counts { malicious, benign, refused } = sink.counts;
    sink.finish()?;
    stage.note(format!("{} records: {malicious} malicious, {benign} benign", malicious + benign + refused));
    if refused > 0 {
        stage.warn(format!("{refused} records have no prediction; the column reason says why"));
    }
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Counts {
    malicious: u64,
    benign: u64,
    refused: u64,
}

enum Form {
    Csv(Box<csv::Writer<Output>>),
    Json(Output),
}

struct Sink {
    form: Form,
    counts: Counts,
}

impl Sink {
    fn new(out: Output, json: bool) -> Self {
        let form = if json { Form::Json(out) } else { Form::Csv(Box::new(csv::Writer::from_writer(out))) };
        Self { form, counts: Counts::default() }
    }

    /// Writes one row per record of the batch, in the order of lines. False when nobody reads any more.
    fn batch(&mut self, bundle: &Bundle, file: &str, batch: &Batch) -> Result<bool, Failure> {
        let predictions = bundle.predict(&batch.flows);
        let mut refused = predictions.refused.iter().peekable();
        let mut rejected = batch.rejected.iter().peekable();
        for row in 0..batch.flows.len() {
            while let Some(unreadable) = rejected.next_if(|rejected| rejected.line < batch.lines[row]) {
                if !self.unreadable(file, unreadable)? {
                    return Ok(false);
                }
            }
            let written = self.write(&Row {
                file,
                line: batch.lines[row],
                flow_id: batch.flows.flow_id.get(row),
                label: predictions.labels[row].map(|class| Label::from_class(class).name()),
                score: predictions.scores[row],
                reason: refused.next_if(|refused| refused.row == row).map(|refused| match &refused.feature {
                    Some(feature) => format!("feature {feature}: {}", refused.reason),
                    None => refused.reason.clone(),
                }),
            })?;
            if !written {
                return Ok(false);
            }
        }
        for unreadable in rejected {
            if !self.unreadable(file, unreadable)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn unreadable(&mut self, file: &str, rejected: &weir_flows::Rejected) -> Result<bool, Failure> {
        let reason = Some(rejected.reason.clone());
        self.write(&Row { file, line: rejected.line, flow_id: None, label: None, score: None, reason })
    }

    fn write(&mut self, row: &Row<'_>) -> Result<bool, Failure> {
        match row.label {
            None => self.counts.refused += 1,
            Some(label) if label == Label::Malicious.name() => self.counts.malicious += 1,
            Some(_) => self.counts.benign += 1,
        }
        let result = match &mut self.form {
            Form::Csv(csv) => csv.serialize(row).map_err(std::io::Error::from),
            Form::Json(out) => {
                serde_json::to_writer(&mut *out, row).map_err(std::io::Error::from).and_then(|()| out.write_all(b"\n"))
            }
        };
        match result {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Failure::retry(format!("failed to write predictions: {error}"))),
            Ok(()) => Ok(true),
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self.form {
            Form::Json(out) => out.finish(),
            Form::Csv(csv) => match csv.into_inner() {
                Ok(out) => out.finish(),
                Err(error) => Err(Failure::retry(format!("failed to write predictions: {}", error.error()))),
            },
        }
    }
}
