//! `weir predict`: one row per record, readable or not.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use weir_testkit::TempRun;

use crate::{SMALL, flows, text, weir};

/// A bundle that is small and quickly made.
pub(crate) fn bundle(temp: &TempRun, data: &Path) -> PathBuf {
    let out = temp.join("run");
    let args = ["run", "--data", text(data), "--out", text(&out), "--models", "decision-tree"];
    weir(args.into_iter().chain(["--representations", "baseline"]).chain(SMALL)).ok();
    out.join("package/bundle")
}

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
    assert_eq!(rows[0], "file,line,flow_id,label,score,probability,reason");
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

/// The fields of CSV lines but the first, which names the file.
fn without_file(csv: &str) -> Vec<&str> {
    csv.lines().map(|line| line.split_once(',').unwrap().1).collect()
}

#[test]
fn lines_come_in_the_order_of_records_for_any_number_of_threads_and_any_packing() {
    let temp = TempRun::new();
    let bundle = bundle(&temp, &flows(&temp, 1_500));
    let data = temp.join("many.csv");
    // Several blocks for every thread, and a second file behind.
    weir(["simulate", "flows", "--rows", "40000", "--out", text(&data)]).ok();
    let predict = |rest: &[&str]| weir(["predict", "--bundle", text(&bundle)].iter().chain(rest).copied()).ok().stdout;
    let one = predict(&["--jobs", "1", text(&data), text(&data)]);
    assert_eq!(one, predict(&["--jobs", "5", text(&data), text(&data)]));
    let once = predict(&[text(&data)]);
    assert_eq!(once.lines().count(), 40_001);
    assert_eq!(one.lines().count(), 80_001);
    let numbers =
        without_file(&once).into_iter().skip(1).map(|line| line.split(',').next().unwrap().parse::<u64>().unwrap());
    assert!(numbers.eq(2..=40_001));

    let packed = temp.join("many.csv.gz");
    let mut gzip = flate2::write::GzEncoder::new(std::fs::File::create(&packed).unwrap(), flate2::Compression::fast());
    gzip.write_all(&std::fs::read(&data).unwrap()).unwrap();
    gzip.finish().unwrap();
    assert_eq!(without_file(&predict(&[text(&packed)])), without_file(&once));

    let table = temp.join("many.parquet");
    weir(["flows", text(&data), "--to", text(&table)]).ok();
    let of_table = predict(&[text(&table)]);
    let fields = |csv: &str| -> Vec<String> {
        without_file(csv).into_iter().map(|line| line.split_once(',').unwrap().1.to_owned()).collect()
    };
    assert_eq!(fields(&of_table), fields(&once));
    assert!(of_table.lines().nth(1).unwrap().contains(".parquet,1,"), "rows of a table are counted from 1");
}

#[test]
fn only_one_label_is_written_where_only_one_is_wanted() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_500);
    let bundle = bundle(&temp, &data);
    let predict = |only: &[&str]| {
        let args = ["predict", "--bundle", text(&bundle), text(&data)];
        weir(args.iter().chain(only).copied()).ok()
    };
    let of = |csv: &str, label: &str| csv.lines().filter(|line| line.split(',').nth(3) == Some(label)).count();
    let all = predict(&[]).stdout;
    for label in ["benign", "malicious"] {
        let output = predict(&["--only", label]);
        assert_eq!(output.stdout.lines().count(), 1 + of(&all, label));
        assert_eq!(of(&output.stdout, label), of(&all, label));
        assert!(output.stderr.contains("1500 records: "), "{}", output.stderr);
    }
}

#[test]
fn a_file_that_ends_too_soon_is_predicted_as_far_as_it_goes() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_500);
    let bundle = bundle(&temp, &data);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&std::fs::read(&data).unwrap()).unwrap();
    let packed = gzip.finish().unwrap();
    let half = temp.write("half.csv.gz", &packed[..packed.len() / 2]);
    let output = weir(["predict", "--bundle", text(&bundle), text(&half)]);
    assert_eq!(output.code, Some(3));
    assert!(output.stderr.contains("half.csv.gz: cannot be read at line "), "{}", output.stderr);
    let whole = weir(["predict", "--bundle", text(&bundle), text(&data)]).ok().stdout;
    let rows = without_file(&output.stdout);
    assert!(rows.len() > 100, "{}", rows.len());
    assert_eq!(rows, without_file(&whole)[..rows.len()]);
}

#[test]
fn a_file_without_a_format_is_refused_before_anything_is_written() {
    let temp = TempRun::new();
    let bundle = bundle(&temp, &flows(&temp, 1_000));
    let nothing = temp.write("nothing.csv", "a,b\n1,2\n");
    let output = weir(["predict", "--bundle", text(&bundle), text(&nothing)]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(3), ""));
    assert!(output.stderr.contains("nothing.csv: in no known flow format"), "{}", output.stderr);
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
