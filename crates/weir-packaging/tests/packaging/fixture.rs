//! A small run on disk: features, three trainings and a selection, with real detectors and no Parquet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde_json::json;
use tempfile::TempDir;
use weir_artifact::{Artifact, Draft, Seal};
use weir_contract::audit::{self, Audit, AuditWarning, Classes, Finding, Measured, Method, Parts, Scores};
use weir_contract::expectation::{SuiteResult, SuiteStatistics};
use weir_contract::feature::{
    self, Example, Examples, Feature, FeatureSchema, FeatureStatistics, Identifies, ScalerKind,
};
use weir_contract::files::{
    AUDIT, ENCODER, EXAMPLES, EXPECTATIONS, FEATURES, RUN_INFO, SEARCH, SELECTION, STATISTICS, TRANSFORM, TRIALS,
};
use weir_contract::manifest::RunInfo;
use weir_contract::search::{self, Candidate, SearchResults};
use weir_contract::selection::{self, Ranked, Selection, Verdict};
use weir_contract::statistics::{self, Distribution, RowAccount, SplitStatistics, Statistics};
use weir_contract::trial::{self, Bits, Trial, Trials};
use weir_contract::{
    ConfusionMatrix, Digest, Family, Flow, FlowBatch, Label, Metric, ParamMap, ParamValue, Representation, Seed,
    Setting, Transport, TrialId, json as canonical,
};
use weir_models::autoencoder::{AutoencoderParams, TrainedAutoencoder};
use weir_models::{Classifier, Context, Dataset, Detector, ModelParams, Scaler, fit};
use weir_packaging::{PackagingParams, Request};
use weir_transform::{FeatureSet, Transform};

const SET: &str = r#"
    name = "small"
    description = "two features"
    scaler = "min-max"
    [rows]
    transport = ["tcp", "udp"]
    [[feature]]
    name = "volume"
    expression = "log1p(bytes)"
    unit = "1"
    description = "bytes on a log scale"
    [[feature]]
    name = "port"
    expression = "destination_port"
    unit = "1"
    description = "port of the server"
    identifies = "host"
    missing = 0
"#;

/// What the three trainings of a run are.
pub(crate) const TRAININGS: [(Representation, Family); 3] = [
    (Representation::Baseline, Family::Knn),
    (Representation::Baseline, Family::DecisionTree),
    (Representation::Autoencoder, Family::LogisticRegression),
];

/// Every trial but the winner gets one test row wrong more than it does.
pub(crate) const WINNER: &str = "baseline-decision-tree-best";

/// A run directory.
pub(crate) struct Run {
    pub(crate) root: TempDir,
}

impl Run {
    /// All artifacts that packaging reads. `seconds` is what each of them is said to have taken.
    pub(crate) fn new(seconds: f64) -> Self {
        let run = Self { root: tempfile::tempdir().unwrap() };
        let features = write_features(&run.path("features"), &run_info(seconds));
        let trainings: Vec<Artifact> = TRAININGS
            .into_iter()
            .map(|(representation, family)| {
                let dir = run.path(&format!("trials/{representation}-{family}"));
                write_training(&dir, (representation, family), features.digest(), &run_info(seconds))
            })
            .collect();
        write_selection(&run.path("selection"), &trainings, WINNER.parse().unwrap());
        run
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn trials(&self) -> Vec<PathBuf> {
        TRAININGS.map(|(representation, family)| self.path(&format!("trials/{representation}-{family}"))).into()
    }

    pub(crate) fn request(&self) -> Request {
        Request {
            signing_key: None,
            features: self.path("features"),
            selection: self.path("selection"),
            trials: self.trials(),
            out: self.path("package"),
            params: PackagingParams::default(),
        }
    }
}

/// Flow number `i`: the malicious ones are small.
pub(crate) fn flow(i: u64) -> Flow {
    let malicious = i.is_multiple_of(3);
    Flow {
        flow_id: Some(format!("flow-{i}")),
        event_time: Some(1_645_791_570_013 + 1000 * i as i64),
        source_ip: "198.18.0.1".parse().unwrap(),
        destination_ip: "10.0.0.7".parse().unwrap(),
        source_port: None,
        destination_port: Some(443 + (i % 4) as u16),
        transport: Transport::Tcp,
        bytes: Some(if malicious { 60 + i * 7 % 31 } else { 4_000 + i * 137 % 911 }),
        packets: None,
        duration_ns: None,
        last: None,
        label: Some(if malicious { Label::Malicious } else { Label::Benign }),
        attack: malicious.then(|| "scan|slow".to_owned()),
    }
}

pub(crate) fn transform() -> Transform {
    Transform::fit(FeatureSet::parse(SET, "small.toml").unwrap(), std::iter::empty()).unwrap()
}

/// The features of flows, `[n, 2]`, by way of the transform alone.
pub(crate) fn features(batch: &FlowBatch) -> Array2<f64> {
    let columns = transform().apply(batch).columns;
    Array2::from_shape_fn((batch.len(), columns.len()), |(row, column)| columns[column][row])
}

fn train() -> (Array2<f64>, Vec<u8>) {
    let batch: FlowBatch = (0..60).map(flow).collect();
    (features(&batch), batch.label.iter().map(|label| label.unwrap()).collect())
}

/// The detector that [`write_training`] stores for both settings of a family.
pub(crate) fn detector(representation: Representation, family: Family) -> (Detector, Option<TrainedAutoencoder>) {
    let (x, y) = train();
    let scaler = Scaler::fit(ScalerKind::MinMax, x.view());
    let scaled = scaler.transform(x.view());
    let trained = (representation == Representation::Autoencoder).then(|| {
        let few = ParamMap::from([("epochs".to_owned(), ParamValue::Int(3))]);
        let params = AutoencoderParams::from_map(&few).unwrap();
        params.fit(scaled.view(), &Context::default(), &mut |_, _| {}).unwrap()
    });
    let encoder = trained.as_ref().map(|trained| trained.encoder.clone());
    let seen = encoder.as_ref().map_or(scaled.clone(), |encoder| encoder.encode(scaled.view()));
    let params = ModelParams::from_map(family, &ParamMap::new()).unwrap();
    let model = fit(&params, Dataset::new(seen.view(), &y), &Context::default()).unwrap().model;
    (Detector::new(scaler, encoder, model), trained)
}

pub(crate) fn write_features(dir: &Path, info: &RunInfo) -> Artifact {
    let transform = transform();
    let (x, _) = train();
    let names = ["volume", "port"];
    let schema = FeatureSchema {
        format: feature::FORMAT,
        feature_set: "small".into(),
        scaler: ScalerKind::MinMax,
        features: transform
            .set()
            .features()
            .iter()
            .zip(x.columns())
            .map(|(spec, column)| Feature {
                name: spec.name.clone(),
                expression: spec.expression.clone(),
                unit: spec.unit.clone(),
                description: spec.description.clone(),
                identifies: spec.identifies,
                missing: spec.missing,
                statistics: FeatureStatistics {
                    minimum: column.fold(f64::INFINITY, |a, &b| a.min(b)),
                    maximum: column.fold(f64::NEG_INFINITY, |a, &b| a.max(b)),
                    mean: column.sum() / 60.0,
                    standard_deviation: column.std(0.0),
                    quantiles: [column[0]; 7],
                    distinct: 4,
                },
            })
            .collect(),
        transform: transform.digest(),
        rows: 60,
    };
    let examples = (60..66).map(|i| {
        let flow = flow(i);
        Example { features: features(&[flow.clone()].into_iter().collect()).row(0).to_vec(), flow }
    });
    let split = |name: &str, benign, malicious| SplitStatistics {
        split: name.into(),
        benign,
        malicious,
        unlabelled: 0,
        attacks: BTreeMap::from([("scan|slow".to_owned(), malicious)]),
    };
    let statistics = Statistics {
        format: statistics::FORMAT,
        rows: RowAccount {
            input: 90,
            kept: 85,
            quarantined: 2,
            deduplicated: 2,
            excluded: BTreeMap::from([("transport is not in the feature set".to_owned(), 1)]),
        },
        splits: vec![split("train", 40, 20), split("test", 11, 6), split("validation", 5, 3)],
        sampled: 60,
        distributions: names
            .map(|name| Distribution {
                feature: name.into(),
                range: (0.0, 9.0),
                benign: vec![30, 10],
                malicious: vec![5, 15],
            })
            .into(),
        correlation: vec![vec![1.0, 0.1], vec![0.1, 1.0]],
        event_time: Some((1_645_791_570_013, 1_645_791_655_013)),
        address_collisions: 0,
    };
    let suite = SuiteResult {
        success: true,
        suite_name: "flows".into(),
        results: Vec::new(),
        statistics: SuiteStatistics {
            evaluated_expectations: 7,
            successful_expectations: 7,
            unsuccessful_expectations: 0,
            success_percent: Some(100.0),
        },
        meta: json!({"policy": "quarantine"}).as_object().cloned().unwrap(),
    };
    let audit = Audit {
        format: audit::FORMAT,
        warnings: vec![AuditWarning {
            feature: "port".into(),
            finding: Finding::Declared { identifies: Identifies::Host },
            consequence: "a model may learn who instead of what".into(),
            remedy: "compare with a feature set without hosts".into(),
        }],
        measured: Some(measured()),
    };
    let mut draft = Draft::begin(dir).unwrap();
    draft.write(TRANSFORM, &transform.to_json()).unwrap();
    draft.write_json(FEATURES, &schema).unwrap();
    let names = names.map(str::to_owned).into();
    draft.write_json(EXAMPLES, &Examples { format: feature::FORMAT, names, examples: examples.collect() }).unwrap();
    draft.write_json(STATISTICS, &statistics).unwrap();
    draft.write_json(EXPECTATIONS, &suite).unwrap();
    draft.write_json(AUDIT, &audit).unwrap();
    draft.write_unsealed(RUN_INFO, &canonical::to_canonical(info).unwrap()).unwrap();
    let flows = BTreeMap::from([("flows/0".to_owned(), Digest::of(b"flows"))]);
    draft.commit(seal("features", flows, Some(Seed(42)))).unwrap()
}

/// Trees of two features, nearly right on the split and half right later.
fn measured() -> Measured {
    let classes = Classes { benign: 20, malicious: 20 };
    let parts = Parts { train: classes, test: classes, undefined: None };
    Measured {
        method: Method::default(),
        rows: 80,
        rows_total: 80,
        rows_without_time: 0,
        split: parts.clone(),
        time: parts,
        features: Vec::new(),
        together: Scores { features: 2, split: Some(0.975), time: Some(0.5) },
        without_identity: None,
        duplicates: Vec::new(),
        duplicates_without_identity: Vec::new(),
    }
}

pub(crate) fn write_training(
    dir: &Path,
    (representation, family): (Representation, Family),
    features: Digest,
    info: &RunInfo,
) -> Artifact {
    let (detector, trained) = detector(representation, family);
    let parameters = ModelParams::from_map(family, &ParamMap::new()).unwrap().to_map();
    let trial = |setting: Setting| {
        let id = TrialId { representation, family, setting };
        let confusion = confusion(id);
        let right: Vec<bool> = (0..17).map(|row| row < confusion.correct()).collect();
        Trial {
            id,
            parameters: parameters.clone(),
            confusion,
            correct: Bits::pack(&right),
            roc_auc: Some(0.96875),
            operations: detector.operations(),
            model: format!("{setting}.model"),
            calibration: None,
            warnings: Vec::new(),
        }
    };
    let trials: Vec<Trial> = Setting::ALL.iter().map(|&setting| trial(setting)).collect();
    let scores = vec![0.95, 0.9, 1.0];
    let candidate = Candidate {
        parameters: ParamMap::new(),
        scores,
        mean: 0.95,
        standard_deviation: 0.041,
        rank: 1,
        same_as: None,
        unconverged: 0,
        cut: None,
    };
    let search = SearchResults {
        // Written by an earlier version, which packaging goes on reading; there was no `rungs` in it.
        format: search::OLDEST_FORMAT,
        family,
        representation,
        scoring: "accuracy".into(),
        folds: 3,
        rungs: Vec::new(),
        candidates: vec![candidate],
        best: 0,
    };
    let mut draft = Draft::begin(dir).unwrap();
    for trial in &trials {
        draft.write(&trial.model, &detector.to_bytes()).unwrap();
    }
    draft.write_json(TRIALS, &Trials { format: trial::FORMAT, family, representation, trials }).unwrap();
    let mut search = serde_json::to_value(search).unwrap();
    search.as_object_mut().unwrap().remove("rungs");
    draft.write_json(SEARCH, &search).unwrap();
    if let Some(trained) = trained {
        draft.write_json(ENCODER, &trained.report()).unwrap();
    }
    draft.write_unsealed(RUN_INFO, &canonical::to_canonical(info).unwrap()).unwrap();
    draft.commit(seal("training", BTreeMap::from([("features".to_owned(), features)]), Some(Seed(42)))).unwrap()
}

/// Selects `winner` among the given trainings.
pub(crate) fn write_selection(dir: &Path, trainings: &[Artifact], winner: TrialId) -> Artifact {
    let mut ranking = Vec::new();
    let mut inputs = BTreeMap::new();
    let mut artifact = Digest::of(b"nothing");
    for training in trainings {
        let trials: Trials = training.read_json(TRIALS).unwrap();
        inputs.insert(format!("trials/{}-{}", trials.representation, trials.family), training.digest());
        for trial in trials.trials {
            if trial.id == winner {
                artifact = training.digest();
            }
            ranking.push(Ranked {
                id: trial.id,
                value: trial.confusion.accuracy(),
                confusion: trial.confusion,
                operations: trial.operations,
                parameters: trial.parameters,
            });
        }
    }
    ranking.sort_by_key(|ranked| (ranked.id != winner, ranked.id));
    let selection = Selection {
        format: selection::FORMAT,
        metric: Metric::Accuracy,
        ranking,
        winner,
        artifact,
        reason: format!("{winner} is right on the most test rows"),
        verdict: Verdict::Promote,
        champion: None,
        warnings: Vec::new(),
    };
    let draft = Draft::begin(dir).unwrap();
    draft.write_json(SELECTION, &selection).unwrap();
    // No run-info.json: measurements may be missing.
    draft.commit(seal("selection", inputs, None)).unwrap()
}

fn confusion(id: TrialId) -> ConfusionMatrix {
    let missed = u64::from(id.to_string() != WINNER);
    ConfusionMatrix { true_negatives: 10, false_positives: 1, false_negatives: missed, true_positives: 6 - missed }
}

fn run_info(seconds: f64) -> RunInfo {
    RunInfo { version: "0.1.0".into(), started: "2026-11-20T21:00:00Z".into(), seconds, ..RunInfo::default() }
}

pub(crate) fn seal(stage: &str, inputs: BTreeMap<String, Digest>, seed: Option<Seed>) -> Seal {
    Seal {
        stage: stage.into(),
        build: format!("build-of-{stage}"),
        inputs,
        parameters: json!({}),
        seed,
        rows: BTreeMap::new(),
    }
}
