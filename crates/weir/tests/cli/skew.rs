//! Training and serving see the same flow the same way: on every row of the sample, `weir predict` on raw records gives
//! bit for bit what the trial's detector gives on the rows of the feature tables, for every family and representation.

use std::collections::HashMap;
use std::path::Path;

use weir_contract::trial::Trials;
use weir_contract::{Family, Representation, files};
use weir_flows::FlowReader;
use weir_models::{Classifier as _, Detector};
use weir_tables::FeatureTable;
use weir_testkit::TempRun;

use crate::{SMALL, text, weir};

#[test]
fn predictions_on_raw_records_equal_those_that_training_saw() {
    let temp = TempRun::new();
    let sample = weir_testkit::sample();
    let times = event_times(&sample);
    for &family in Family::ALL {
        for &representation in Representation::ALL {
            let out = temp.join(&format!("{representation}-{family}"));
            let args = ["run", "--data", text(&sample), "--out", text(&out), "--models", family.name()];
            // Fewer epochs than by default: skew does not depend on how well the encoder was trained.
            let rest = ["--representations", representation.name(), "--set", "autoencoder.epochs=8"];
            weir(args.into_iter().chain(rest).chain(SMALL)).ok();
            let raw = raw_predictions(&sample, &out, &times);
            let compared = compare(&out, &format!("{representation}-{family}"), &raw);
            assert!(compared > 7_000, "{family} on {representation}: only {compared} rows compared");
        }
    }
}

/// Event time of every line of the sample.
fn event_times(sample: &Path) -> HashMap<u64, i64> {
    let mut reader = FlowReader::open(sample, None).unwrap();
    let mut times = HashMap::new();
    while let Some(batch) = reader.next_batch(4_096).unwrap() {
        times.extend(batch.lines.iter().zip(batch.flows.event_time.iter()).map(|(&line, time)| (line, time.unwrap())));
    }
    times
}

/// Label and score of every (flow id, event time), as `weir predict` writes them.
fn raw_predictions(sample: &Path, out: &Path, times: &HashMap<u64, i64>) -> HashMap<(String, i64), (String, f64)> {
    let bundle = out.join("package/bundle");
    let json = weir(["predict", "--json", "--bundle", text(&bundle), text(sample)]).ok().stdout;
    let mut predictions = HashMap::new();
    for line in json.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let key = (row["flow_id"].as_str().unwrap().to_owned(), times[&row["line"].as_u64().unwrap()]);
        let value = (row["label"].as_str().unwrap().to_owned(), row["score"].as_f64().unwrap());
        assert!(predictions.insert(key, value).is_none(), "a flow has one record at a time");
    }
    predictions
}

/// Compares every row of the three splits; returns how many there were.
fn compare(out: &Path, trial: &str, raw: &HashMap<(String, i64), (String, f64)>) -> usize {
    let dir = out.join("trials").join(trial);
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
    let trials: Trials = serde_json::from_slice(&read(files::TRIALS)).unwrap();
    let winner = std::fs::read_to_string(out.join("selection/winner")).unwrap();
    let winner = trials.trials.iter().find(|trial| trial.id.to_string() == winner).unwrap();
    let detector = Detector::from_bytes(&read(&winner.model)).unwrap();
    let names: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("features/features.json")).unwrap()).unwrap();
    let names: Vec<&str> = names["features"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    let mut rows = 0;
    for split in [files::TRAIN, files::TEST, files::VALIDATION] {
        let table = FeatureTable::read(&out.join("features").join(split), &names).unwrap();
        let predicted = detector.predict(table.matrix().view());
        let mut right = Vec::new();
        for row in 0..table.rows() {
            let key = (table.flow_id.get(row).unwrap().to_owned(), table.event_time.get(row).unwrap());
            let (label, score) = &raw[&key];
            assert_eq!(score.to_bits(), predicted.scores[row].to_bits(), "{trial} {key:?}");
            assert_eq!(label == "malicious", predicted.classes[row] == 1, "{trial} {key:?}");
            right.push(predicted.classes[row] == table.label[row]);
        }
        if split == files::TEST {
            assert_eq!(winner.correct.unpack().unwrap(), right, "{trial}: the bits that training wrote");
        }
        rows += table.rows();
    }
    rows
}
