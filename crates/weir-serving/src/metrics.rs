//! What Prometheus is told, in OpenMetrics text.

use std::fs;
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use weir_contract::Label;

use crate::model::Model;
use crate::rows::Answers;

/// Content type of [`Metrics::text`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From 10 µs to 10 s: a tree takes less than the first, a large batch of neighbours seconds.
const SECONDS: [f64; 13] = [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 1e-2, 5e-2, 0.25, 1.0, 10.0];

/// The metrics of a predictor. Times have the names that KServe gives them.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    preprocess: Family<OfModel, Histogram, fn() -> Histogram>,
    predict: Family<OfModel, Histogram, fn() -> Histogram>,
    postprocess: Family<OfModel, Histogram, fn() -> Histogram>,
    predictions: Family<OfClass, Counter>,
    refused: Family<OfReason, Counter>,
    requests: Family<OfRequest, Counter>,
    bundle: Family<OfBundle, Gauge>,
    /// Predictions told to come back later.
    pub(crate) shed: Counter,
    /// Panics while answering.
    pub(crate) panics: Counter,
    /// Bundles taken over after the first.
    pub(crate) reloads: Counter,
    /// Bundles that did not open.
    pub(crate) reload_failures: Counter,
    in_flight: Gauge,
    connections: Gauge,
    memory: Gauge,
}

/// The metrics that a request of one model touches, found beforehand.
#[derive(Debug)]
pub(crate) struct Meters {
    /// Seconds of reading a request.
    pub(crate) preprocess: Histogram,
    /// Seconds of predicting.
    pub(crate) predict: Histogram,
    /// Seconds of writing an answer.
    pub(crate) postprocess: Histogram,
    /// Predictions of benign and of malicious.
    classes: [Counter; 2],
    refused: Family<OfReason, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfModel {
    model_name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfClass {
    model_name: String,
    class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfReason {
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRequest {
    code: u16,
    protocol: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfBundle {
    model_name: String,
    digest: String,
    trial: String,
    feature_set: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(SECONDS);
        let start: Gauge<f64, AtomicU64> = Gauge::default();
        start.set(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()));
        let mut metrics = Self {
            registry: Registry::default(),
            preprocess: Family::new_with_constructor(seconds),
            predict: Family::new_with_constructor(seconds),
            postprocess: Family::new_with_constructor(seconds),
            predictions: Family::default(),
            refused: Family::default(),
            requests: Family::default(),
            bundle: Family::default(),
            shed: Counter::default(),
            panics: Counter::default(),
            reloads: Counter::default(),
            reload_failures: Counter::default(),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            memory: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("request_preprocess_seconds", "Seconds of reading a request", metrics.preprocess.clone());
        registry.register("request_predict_seconds", "Seconds of predicting", metrics.predict.clone());
        registry.register("request_postprocess_seconds", "Seconds of writing an answer", metrics.postprocess.clone());
        registry.register("weir_predictions", "Predictions by class", metrics.predictions.clone());
        registry.register("weir_refused_rows", "Rows without a prediction, by reason", metrics.refused.clone());
        registry.register("weir_requests", "Answers by status and protocol", metrics.requests.clone());
        registry.register("weir_requests_shed", "Predictions told to come back later", metrics.shed.clone());
        registry.register("weir_panics", "Panics while answering", metrics.panics.clone());
        registry.register("weir_bundle_reloads", "Bundles taken over after the first", metrics.reloads.clone());
        let failures = metrics.reload_failures.clone();
        registry.register("weir_bundle_reload_failures", "Bundles that did not open", failures);
        registry.register("weir_bundle_info", "The bundle that is served", metrics.bundle.clone());
        registry.register("weir_requests_in_flight", "Predictions at work or waiting", metrics.in_flight.clone());
        registry.register("weir_connections", "Open connections", metrics.connections.clone());
        registry.register("process_start_time_seconds", "Start of the process, seconds since 1970", start);
        registry.register("process_resident_memory_bytes", "Resident memory", metrics.memory.clone());
        metrics
    }
}

impl Metrics {
    /// The meters of the model with this name.
    pub(crate) fn meters(&self, name: &str) -> Meters {
        let model = OfModel { model_name: name.to_owned() };
        let class = |label: Label| {
            let labels = OfClass { model_name: name.to_owned(), class: label.name() };
            self.predictions.get_or_create(&labels).clone()
        };
        Meters {
            preprocess: self.preprocess.get_or_create(&model).clone(),
            predict: self.predict.get_or_create(&model).clone(),
            postprocess: self.postprocess.get_or_create(&model).clone(),
            classes: [class(Label::Benign), class(Label::Malicious)],
            refused: self.refused.clone(),
        }
    }

    /// Names the bundle that is served from now on.
    pub(crate) fn serving(&self, model: &Model) {
        let info = model.bundle.info();
        self.bundle.clear();
        let labels = OfBundle {
            model_name: model.name.clone(),
            digest: model.bundle.digest().to_string(),
            trial: info.trial.to_string(),
            feature_set: info.feature_set.clone(),
        };
        self.bundle.get_or_create(&labels).set(1);
    }

    /// Counts an answer to a request for `path`.
    pub(crate) fn answered(&self, path: &str, status: StatusCode) {
        let protocol = match path.as_bytes() {
            [b'/', b'v', b'1', b'/', ..] => "v1",
            [b'/', b'v', b'2', ..] => "v2",
            _ => "other",
        };
        self.requests.get_or_create(&OfRequest { code: status.as_u16(), protocol }).inc();
    }

    /// All metrics as text.
    pub(crate) fn text(&self, in_flight: usize, connections: usize) -> String {
        self.in_flight.set(in_flight as i64);
        self.connections.set(connections as i64);
        self.memory.set(resident_memory());
        let mut text = String::new();
        // Writing to memory does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Meters {
    /// Counts predictions that are given out.
    pub(crate) fn predicted(&self, answers: &Answers) {
        let given = answers.scores.iter().filter(|score| !score.is_nan()).count();
        let malicious = answers.classes.iter().filter(|&&class| class == Label::Malicious.class()).count();
        for (counter, count) in self.classes.iter().zip([given - malicious, malicious]) {
            if count > 0 {
                counter.inc_by(count as u64);
            }
        }
    }

    /// Counts rows that have no prediction.
    pub(crate) fn refused(&self, answers: &Answers) {
        for refused in &answers.refused {
            self.refused.get_or_create(&OfReason { reason: refused.reason.clone() }).inc();
        }
    }
}

/// In bytes; 0 where the system does not tell.
fn resident_memory() -> i64 {
    /// Of a page, on every system that has this file.
    const PAGE: i64 = 4096;
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_ascii_whitespace().nth(1).and_then(|pages| pages.parse::<i64>().ok()).unwrap_or(0) * PAGE
}
