//! `weir predict`: one row per record, readable or not.

use weir_testkit::TempRun;

use crate::{SMALL, flows, text, weir};

#[test]
fn every_record_has_a_row_in_csv_and_json() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_500);
    let out = temp.join("run");
    let args = ["run", "--data", text(&data), "--out", text(&out), "--models", "decision-tree"];
    weir(args.into_iter().chain(["--feature-set", "report"]).chain(SMALL)).ok();
    let mut lines = std::fs::read_to_string(&data).unwrap();
    lines.insert_str(lines.find('\n').unwrap() + 1, "not,a,flow\n");
    let data = temp.write("new.csv", lines);
    let bundle = out.join("package/bundle");
    let csv = weir(["predict", "--bundle", text(&bundle), text(&data)]).ok().stdout;
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows[0], "file,line,flow_id,label,score,reason");
    assert_eq!(rows.len(), 1 + 1_501);
    assert!(rows[1].contains(",2,,,,") && rows[1].len() > 30, "{}", rows[1]);
    let icmp = rows.iter().filter(|row| row.ends_with(",transport is not in the feature set")).count();
    assert!(icmp > 0, "the report's set takes tcp and udp only");

    let target = temp.join("predictions.jsonl");
    weir(["predict", "--bundle", text(&bundle), text(&data), "--json", "--out", text(&target)]).ok();
    let json = std::fs::read_to_string(target).unwrap();
    assert_eq!(json.lines().count(), 1_501);
    for (row, object) in rows[1..].iter().zip(json.lines()) {
        let object: serde_json::Value = serde_json::from_str(object).unwrap();
        let label = object["label"].as_str().unwrap_or_default();
        assert_eq!(row.split(',').nth(3), Some(label), "{row} {object}");
    }
}

#[test]
fn a_damaged_bundle_is_not_opened() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_000);
    let out = temp.join("run");
    let args = ["run", "--data", text(&data), "--out", text(&out), "--models", "logistic-regression"];
    weir(args.into_iter().chain(["--representations", "baseline"]).chain(SMALL)).ok();
    let bundle = out.join("package/bundle");
    let path = bundle.join("transform.json");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let output = weir(["predict", "--bundle", text(&bundle), text(&data)]);
    assert_eq!(output.code, Some(3));
    assert!(output.stderr.contains("transform.json"), "{}", output.stderr);
}

/// Ids that a format does not have are derived alike for training and prediction.
#[test]
fn flows_without_ids_are_predicted_by_a_set_that_uses_ids() {
    let temp = TempRun::new();
    let lines = std::fs::read_to_string(flows(&temp, 1_500)).unwrap();
    let without = lines.lines().map(|line| line.split_once(',').unwrap().1.to_owned() + "\n").collect::<String>();
    let data = temp.write("without-ids.csv", without);
    let out = temp.join("run");
    let args = ["run", "--data", text(&data), "--format", "packetbeat-csv", "--out", text(&out)];
    let rest = ["--feature-set", "report", "--models", "decision-tree", "--representations", "baseline"];
    weir(args.into_iter().chain(rest).chain(SMALL)).ok();
    let bundle = out.join("package/bundle");
    let csv = weir(["predict", "--bundle", text(&bundle), "--format", "packetbeat-csv", text(&data)]).ok().stdout;
    let refused: Vec<&str> = csv.lines().skip(1).filter(|row| !row.ends_with(',')).collect();
    assert!(refused.iter().all(|row| row.ends_with("transport is not in the feature set")), "{refused:?}");
    assert!(refused.len() < 100, "{} of 1500 records refused", refused.len());
}

#[test]
fn a_pipe_is_written_to_and_not_replaced() {
    let temp = TempRun::new();
    let output = weir(["simulate", "flows", "--rows", "10", "--out", "/dev/null"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    let output = weir(["simulate", "flows", "--rows", "10", "--out", text(&temp.join("no/such/folder.csv"))]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("hint: make the folder first"), "{}", output.stderr);
}
