//! A features artifact of flows of which the truth is known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use weir_artifact::{Draft, Seal};
use weir_contract::feature::{self, Feature, FeatureSchema, FeatureStatistics, ScalerKind};
use weir_contract::files::{FEATURES, FLOWS_VALIDATION, VALIDATION};
use weir_contract::validation::{Payload, Protocol};
use weir_contract::{Digest, Flow, Label, Transport};
use weir_monitor::{Request, Settings};
use weir_tables::{FeatureTable, write_flows};

pub(crate) const ROWS: usize = 250;
/// Rows whose label is not what their bytes say.
pub(crate) const ODD: [usize; 3] = [10, 100, 249];

fn flow(row: usize) -> Flow {
    let malicious = row % 2 == 1;
    let label = if malicious != ODD.contains(&row) { Label::Malicious } else { Label::Benign };
    Flow {
        flow_id: Some(format!("flow-{row}")),
        event_time: Some(1_645_791_570_013 + row as i64),
        source_ip: "10.0.0.1".parse().unwrap(),
        destination_ip: "fd00::2".parse().unwrap(),
        source_port: Some(40_000),
        destination_port: None,
        transport: Transport::Tcp,
        bytes: Some(if malicious { 1_001 } else { 1_000 }),
        packets: None,
        duration_ns: Some(7),
        last: Some(true),
        label: Some(label),
        attack: (label == Label::Malicious).then(|| "scan".to_owned()),
    }
}

/// A features artifact with [`ROWS`] validation rows and the features `bytes` and `port`.
pub(crate) fn features() -> (TempDir, PathBuf) {
    features_of((0..ROWS).map(flow).collect())
}

pub(crate) fn unlabelled() -> (TempDir, PathBuf) {
    features_of((0..3).map(|row| Flow { label: None, ..flow(row) }).collect())
}

fn features_of(flows: Vec<Flow>) -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("features");
    let draft = Draft::begin(&dir).unwrap();
    let table = FeatureTable {
        names: vec!["bytes".to_owned(), "port".to_owned()],
        columns: vec![
            flows.iter().map(|flow| flow.bytes.unwrap() as f64).collect(),
            flows.iter().map(|flow| f64::from(flow.source_port.unwrap())).collect(),
        ],
        label: flows.iter().map(|flow| flow.label.map_or(0, Label::class)).collect(),
        flow_id: flows.iter().map(|flow| flow.flow_id.as_deref()).collect(),
        event_time: flows.iter().map(|flow| flow.event_time).collect(),
    };
    table.write(&draft.path(VALIDATION).unwrap()).unwrap();
    write_flows(&draft.path(FLOWS_VALIDATION).unwrap(), &flows.into_iter().collect()).unwrap();
    draft.write_json(FEATURES, &schema()).unwrap();
    let seal = Seal {
        stage: "features".to_owned(),
        build: "b1".to_owned(),
        inputs: BTreeMap::new(),
        parameters: json!({}),
        seed: None,
        rows: BTreeMap::new(),
    };
    draft.commit(seal).unwrap();
    (parent, dir)
}

fn schema() -> FeatureSchema {
    let statistics = FeatureStatistics {
        minimum: 0.0,
        maximum: 1.0,
        mean: 0.5,
        standard_deviation: 0.5,
        quantiles: [0.5; 7],
        distinct: 2,
    };
    let feature = |name: &str| Feature {
        name: name.to_owned(),
        expression: name.to_owned(),
        unit: "1".to_owned(),
        description: String::new(),
        identifies: None,
        missing: None,
        statistics: statistics.clone(),
    };
    FeatureSchema {
        format: feature::FORMAT,
        feature_set: "two".to_owned(),
        scaler: ScalerKind::MinMax,
        features: vec![feature("bytes"), feature("port")],
        transform: Digest::of(b"transform"),
        rows: 0,
    }
}

/// One row per request and one request at a time, so that requests come in the order of rows.
pub(crate) fn request(features: &Path, url: &str) -> Request {
    Request {
        features: features.to_owned(),
        endpoint: Settings {
            url: url.to_owned(),
            protocol: Protocol::V1,
            model: None,
            token: None,
            authorities: None,
            host: None,
            timeout: Duration::from_secs(10),
            retries: 2,
        },
        payload: Payload::Flows,
        batch: 1,
        connections: 1,
        maximum_failures: 0,
        minimum_accuracy: None,
    }
}
