//! Records to lines of output: one per record, predicted or not.

use serde::Serialize;
use weir_bundle::Bundle;
use weir_contract::Label;
use weir_flows::{Batch, Rejected};
use weir_stage::Failure;

/// What lines look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// CSV with a header.
    Csv,
    /// An object per line.
    Json,
}

impl Form {
    /// What comes before the first line.
    pub(super) fn head(self) -> &'static [u8] {
        match self {
            Self::Csv => b"file,line,flow_id,label,score,probability,reason\n",
            Self::Json => b"",
        }
    }
}

/// What makes lines of records; the same for every thread.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) form: Form,
    /// Where given, other records are counted and not written.
    pub(super) only: Option<Label>,
}

/// Lines, and how many records there were.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) bytes: Vec<u8>,
    pub(super) counts: Counts,
}

/// Records by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) malicious: u64,
    pub(super) benign: u64,
    /// Without a prediction.
    pub(super) refused: u64,
    /// Not about flows, by the rules of their format.
    pub(super) skipped: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        self.malicious += other.malicious;
        self.benign += other.benign;
        self.refused += other.refused;
        self.skipped += other.skipped;
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
    probability: Option<f64>,
    reason: Option<&'a str>,
}

impl Rows<'_> {
    /// One line per record of the batch, in the order of lines.
    pub(super) fn lines(&self, file: &str, batch: &Batch) -> Result<Lines, Failure> {
        let predictions = self.bundle.predict(&batch.flows);
        let mut out = Writer::new(*self);
        let mut refused = predictions.refused.iter().peekable();
        let mut rejected = batch.rejected.iter().peekable();
        for row in 0..batch.flows.len() {
            while let Some(unreadable) = rejected.next_if(|rejected| rejected.line < batch.lines[row]) {
                out.unreadable(file, unreadable)?;
            }
            let label = predictions.labels[row].map(Label::from_class);
            let reason = refused.next_if(|refused| refused.row == row).map(|refused| match &refused.feature {
                Some(feature) => format!("feature {feature}: {}", refused.reason),
                None => refused.reason.clone(),
            });
            let row = Row {
                file,
                line: batch.lines[row],
                flow_id: batch.flows.flow_id.get(row),
                label: label.map(Label::name),
                score: predictions.scores[row],
                probability: predictions.probabilities[row],
                reason: reason.as_deref(),
            };
            out.write(label, &row)?;
        }
        for unreadable in rejected {
            out.unreadable(file, unreadable)?;
        }
        out.finish(batch.skipped)
    }
}

struct Writer<'a> {
    rows: Rows<'a>,
    counts: Counts,
    csv: csv::Writer<Vec<u8>>,
    json: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn new(rows: Rows<'a>) -> Self {
        let csv = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        Self { rows, counts: Counts::default(), csv, json: Vec::new() }
    }

    fn unreadable(&mut self, file: &str, rejected: &Rejected) -> Result<(), Failure> {
        let Rejected { line, reason, .. } = rejected;
        let nothing =
            Row { file, line: *line, flow_id: None, label: None, score: None, probability: None, reason: Some(reason) };
        self.write(None, &nothing)
    }

    fn write(&mut self, label: Option<Label>, row: &Row<'_>) -> Result<(), Failure> {
        *match label {
            Some(Label::Malicious) => &mut self.counts.malicious,
            Some(Label::Benign) => &mut self.counts.benign,
            None => &mut self.counts.refused,
        } += 1;
        if self.rows.only.is_some_and(|only| label != Some(only)) {
            return Ok(());
        }
        let written = match self.rows.form {
            Form::Csv => self.csv.serialize(row).map_err(|error| error.to_string()),
            Form::Json => serde_json::to_writer(&mut self.json, row).map_err(|error| error.to_string()),
        };
        if self.rows.form == Form::Json {
            self.json.push(b'\n');
        }
        written.map_err(unwritten)
    }

    fn finish(self, skipped: u64) -> Result<Lines, Failure> {
        let bytes = match self.rows.form {
            Form::Csv => self.csv.into_inner().map_err(|error| unwritten(error.error().to_string()))?,
            Form::Json => self.json,
        };
        Ok(Lines { bytes, counts: Counts { skipped, ..self.counts } })
    }
}

fn unwritten(error: String) -> Failure {
    Failure::retry(format!("failed to write predictions: {error}"))
}
