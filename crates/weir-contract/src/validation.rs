//! `validation-report.json`: how a deployed predictor did on flows that no stage had looked at.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::flow::Label;
use crate::metrics::{ClassScores, ConfusionMatrix};

/// Version of `validation-report.json` written by this build.
pub const FORMAT: u32 = 1;

/// What a predictor answered to every validation flow. It holds measured times, so it is part of no artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationReport {
    /// Version of this file.
    pub format: u32,
    /// Version of the program that asked.
    pub version: String,
    /// Who was asked.
    pub endpoint: EndpointInfo,
    /// Digest of the features artifact whose validation rows were sent.
    pub features: Digest,
    /// What became of the rows.
    pub rows: RowCounts,
    /// Answers against labels, over the rows that were answered.
    pub confusion: ConfusionMatrix,
    /// Scores of the class benign, over the rows that were answered.
    pub benign: ClassScores,
    /// Scores of the class malicious, over the rows that were answered.
    pub malicious: ClassScores,
    /// Share of all rows sent that were answered rightly: a row without an answer counts as not right.
    pub accuracy: Proportion,
    /// The verdict, where a minimum was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Minimum>,
    /// Time from sending a request to the last byte of its answer; null when no request was answered.
    pub latency: Option<Latency>,
    /// How the rows were sent, and how long that took.
    pub sending: Sending,
    /// The first rows, in file order, that were answered wrongly.
    pub wrong: Vec<WrongRow>,
    /// Why rows were not answered, in the order of their first rows.
    pub unanswered: Vec<Unanswered>,
}

/// The predictor as it names itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointInfo {
    /// Its address, without the path of the protocol.
    pub url: String,
    /// The protocol that was spoken.
    pub protocol: Protocol,
    /// The model's name.
    pub model: String,
    /// The model's version, where the endpoint tells one.
    pub model_version: Option<String>,
}

/// Version of the Open Inference Protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// `POST /v1/models/{model}:predict`.
    #[default]
    V1,
    /// `POST /v2/models/{model}/infer`.
    V2,
}

/// What was sent of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The raw flow as an object; the predictor computes the features.
    #[default]
    Flows,
    /// The vector of unscaled features.
    Features,
}

/// Rows by what became of them: `sent = answered + refused + failed`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// All validation rows.
    pub sent: u64,
    /// Rows with a prediction.
    pub answered: u64,
    /// Rows that the predictor said it cannot predict.
    pub refused: u64,
    /// Rows without an answer that could be read.
    pub failed: u64,
}

/// A share that was counted, with its 95 % Wilson score interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Proportion {
    /// What was counted.
    pub part: u64,
    /// Out of how many.
    pub whole: u64,
    /// `part / whole`, 0 for an empty whole.
    pub share: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// The accuracy that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Minimum {
    /// The smallest accuracy that passes.
    pub accuracy: f64,
    /// Whether the accuracy over all rows sent is at least that.
    pub passed: bool,
}

/// Times of all answered requests, in ms. A quantile is the smallest time that at least its share of all requests did
/// not exceed (nearest rank).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Answered requests.
    pub requests: u64,
    /// Their mean.
    pub mean_ms: f64,
    /// Median.
    pub p50_ms: f64,
    /// 90 % quantile.
    pub p90_ms: f64,
    /// 99 % quantile.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// How rows were sent, and how long that took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sending {
    /// What was sent of a row.
    pub payload: Payload,
    /// Rows per request.
    pub batch: u64,
    /// Requests under way at a time.
    pub connections: u64,
    /// Attempts beyond the first, over all requests.
    pub retries: u64,
    /// Start, RFC 3339 in UTC.
    pub started: String,
    /// End, RFC 3339 in UTC.
    pub finished: String,
    /// Wall-clock seconds for all rows, reading the tables included.
    pub seconds: f64,
    /// Rows sent per second.
    pub rows_per_second: f64,
}

/// A row that was answered wrongly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongRow {
    /// Row of the validation table, from 0.
    pub row: u64,
    /// The flow's id.
    pub flow_id: Option<String>,
    /// What it is.
    pub label: Label,
    /// What the predictor said.
    pub prediction: Label,
}

/// Rows that were not answered for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// Whether the predictor said so itself; otherwise there was no answer that could be read.
    pub refused: bool,
    /// The reason.
    pub reason: String,
    /// Rows.
    pub rows: u64,
    /// The first of them, from 0.
    pub first_row: u64,
}
