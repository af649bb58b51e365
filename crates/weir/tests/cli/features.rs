//! The features stage: bounded memory, parts, policies, packed and cut input.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use weir_contract::flow::{Column, TextColumn};
use weir_tables::{FeatureTable, read_flows};
use weir_testkit::{TempRun, tree_digests};

use crate::{flows, text, weir};

fn features(temp: &TempRun, name: &str, data: &[&Path], more: &[&str]) -> PathBuf {
    let out = temp.join(name);
    let mut arguments = vec!["features", "--out", text(&out), "--data"];
    arguments.extend(data.iter().map(|path| text(path)));
    arguments.extend(more);
    weir(arguments).ok();
    out
}

fn digests(out: &Path) -> Vec<(String, String)> {
    let all = tree_digests(out);
    assert!(all.len() >= 12, "{all:?}");
    all.into_iter().map(|(name, digest)| (format!("{name:?}"), format!("{digest:?}"))).collect()
}

#[test]
fn threads_memory_and_parts_leave_the_same_bytes() {
    let temp = TempRun::new();
    let data = flows(&temp, 60_000);
    let whole = digests(&features(&temp, "whole", &[&data], &["--jobs", "1", "--memory", "512"]));
    assert_eq!(digests(&features(&temp, "spilled", &[&data], &["--jobs", "3", "--memory", "1"])), whole);

    let plan = temp.join("plan.json");
    weir(["features", "plan", "--data", text(&data), "--parts", "3", "--plan", text(&plan)]).ok();
    let parts: Vec<PathBuf> = (0..3).map(|part| temp.join(&format!("part-{part}"))).collect();
    for (number, dir) in parts.iter().enumerate() {
        let number = number.to_string();
        weir(["features", "run-part", "--plan", text(&plan), "--part", &number, "--out", text(dir)]).ok();
    }
    let out = temp.join("gathered");
    let gather = |parts: &[&PathBuf]| {
        let mut arguments = vec!["features", "gather", "--plan", text(&plan), "--out", text(&out), "--parts"];
        arguments.extend(parts.iter().map(|part| text(part)));
        weir(arguments)
    };
    let missing = gather(&[&parts[0], &parts[2]]);
    assert_eq!(missing.code, Some(3));
    assert!(missing.stderr.contains("part 1 of 3 is missing"), "{}", missing.stderr);
    gather(&[&parts[2], &parts[0], &parts[1]]).ok();
    assert_eq!(digests(&out), whole);

    // No flow is in two parts.
    let ids = |dir: &Path| -> Vec<String> {
        let tables = ["train.parquet", "test.parquet", "validation.parquet"].map(|name| dir.join(name));
        tables.iter().flat_map(|path| ids(&FeatureTable::read(path, &[]).unwrap().flow_id)).collect()
    };
    let mut all: Vec<String> = parts.iter().flat_map(|part| ids(part)).collect();
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);

    let mut bytes = std::fs::read(parts[1].join("train.parquet")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(parts[1].join("train.parquet"), bytes).unwrap();
    std::fs::remove_dir_all(&out).unwrap();
    let damaged = gather(&[&parts[0], &parts[1], &parts[2]]);
    assert_eq!(damaged.code, Some(3));
    assert!(damaged.stderr.contains("part-1/train.parquet"), "{}", damaged.stderr);
}

fn ids(column: &TextColumn) -> Vec<String> {
    column.iter().map(|id| id.unwrap().to_owned()).collect()
}

#[test]
fn packed_reordered_and_cut_files_give_the_same_tables() {
    let temp = TempRun::new();
    let data = flows(&temp, 5_000);
    let whole = features(&temp, "whole", &[&data], &[]);
    let csv = std::fs::read_to_string(&data).unwrap();
    let (head, rows) = csv.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    rows.reverse();
    let files: Vec<PathBuf> = rows
        .chunks(1_700)
        .enumerate()
        .map(|(number, rows)| {
            let path = temp.join(&format!("{number}.csv.gz"));
            let mut packed = GzEncoder::new(std::fs::File::create(&path).unwrap(), Compression::fast());
            writeln!(packed, "{head}\n{}", rows.join("\n")).unwrap();
            packed.finish().unwrap();
            path
        })
        .collect();
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let cut = features(&temp, "cut", &paths, &[]);
    for name in
        ["train.parquet", "test.parquet", "validation.parquet", "flows-test.parquet", "statistics.json", "audit.json"]
    {
        assert_eq!(std::fs::read(whole.join(name)).unwrap(), std::fs::read(cut.join(name)).unwrap(), "{name}");
    }
    // The flows of test are flows as any; under another seed they are spread over all parts.
    let again = features(&temp, "again", &[&whole.join("flows-test.parquet")], &["--set", "seed=7"]);
    let kept: usize = ["train.parquet", "test.parquet", "validation.parquet"]
        .iter()
        .map(|name| FeatureTable::read(&again.join(name), &[]).unwrap().rows())
        .sum();
    assert_eq!(kept, read_flows(&whole.join("flows-test.parquet")).unwrap().len());
}

const HEAD: &str = "flow_id,@timestamp,source_ip,destination_ip,source_port,destination_port,network_transport,\
                    network_bytes,network_packets,event_duration,flow_final,label\n";

/// Flows of one second each, of which every `tenth` has 0 bytes.
fn rows(count: usize, zero_bytes: impl Fn(usize) -> bool) -> String {
    let mut csv = HEAD.to_owned();
    for row in 0..count {
        let bytes = if zero_bytes(row) { 0 } else { 60 + row % 900 };
        let (label, minute, second) = (["benign", "malicious"][row % 2], row / 60 % 60, row % 60);
        writeln!(
            csv,
            "f{row},2022-02-25T12:{minute:02}:{second:02}.000Z,10.0.0.{},10.0.1.1,{},80,tcp,{bytes},1,1000,True,{label}",
            row % 200,
            1024 + row
        )
        .unwrap();
    }
    csv
}

fn suite(temp: &TempRun, mostly: f64) -> PathBuf {
    let path = temp.join("suite.json");
    let kwargs = format!(r#"{{"column": "bytes", "min_value": 1, "mostly": {mostly}}}"#);
    let expectation = format!(r#"{{"type": "expect_column_values_to_be_between", "kwargs": {kwargs}, "meta": {{}}}}"#);
    std::fs::write(&path, format!(r#"{{"name": "s", "expectations": [{expectation}], "meta": {{}}}}"#)).unwrap();
    path
}

/// Whether an expectation holds is known at the end only; rows are set aside for it all the same.
#[test]
fn rows_are_set_aside_only_for_expectations_that_do_not_hold() {
    let temp = TempRun::new();
    let data = temp.join("flows.csv");
    std::fs::write(&data, rows(1_000, |row| row % 20 == 0)).unwrap();
    let account = |name: &str, mostly: f64, policy: &str| {
        let expectations = format!("features.expectations={}", text(&suite(&temp, mostly)));
        let policy = format!("features.policy={policy}");
        let out = temp.join(name);
        let run = weir([
            "features",
            "--data",
            text(&data),
            "--out",
            text(&out),
            "--json",
            "--set",
            &expectations,
            "--set",
            &policy,
        ]);
        (run.code, run.stdout.clone(), run.stderr)
    };
    let (code, result, _) = account("tolerated", 0.9, "quarantine");
    assert!(code == Some(0) && result.contains("\"quarantined\": 0"), "{result}");
    let (code, result, _) = account("broken", 0.99, "quarantine");
    assert!(code == Some(0) && result.contains("\"quarantined\": 50"), "{result}");
    let (code, result, _) = account("strictly tolerated", 0.9, "strict");
    assert!(code == Some(0) && result.contains("\"kept\": 1000"), "{result}");
    let (code, _, error) = account("strict", 0.99, "strict");
    assert!(code == Some(4) && error.contains("expect_column_values_to_be_between"), "{error}");
    assert!(!temp.join("strict").exists());
    let (code, result, error) = account("always", 1.0, "always");
    assert!(code == Some(0) && result.contains("\"kept\": 1000"), "{result}");
    assert!(error.contains("50 rows break the expectations, first"), "{error}");
}

#[test]
fn a_split_by_time_has_the_past_in_train() {
    let temp = TempRun::new();
    let data = temp.join("flows.csv");
    std::fs::write(&data, rows(1_000, |_| false)).unwrap();
    let out = features(&temp, "time", &[&data], &["--split", "time"]);
    let times = |name: &str| -> Column<i64> { FeatureTable::read(&out.join(name), &[]).unwrap().event_time };
    let range = |name: &str| {
        let times = times(name);
        (times.len(), times.iter().flatten().min().unwrap(), times.iter().flatten().max().unwrap())
    };
    let [train, test, validation] = ["train.parquet", "test.parquet", "validation.parquet"].map(range);
    assert_eq!((train.0, test.0, validation.0), (700, 200, 100));
    assert!(train.2 < test.1 && test.2 < validation.1);
}

/// Every record is somewhere, whatever it is.
#[test]
fn damaged_records_are_counted_and_kept_with_their_place() {
    let temp = TempRun::new();
    let data = temp.join("flows.csv");
    let mut csv = rows(300, |_| false);
    csv.push_str("f900,2022-02-25T12:00:00.000Z,10.0.0.999,10.0.1.1,1,80,tcp,60,1,1000,True,benign\n");
    csv.push_str("f901,2022-02-25T12:00:00.000Z,\"10.0.0.1\",10.0.1.1,1,80,tcp,60,1,1000,True,\n");
    csv.push_str("too,few\n");
    std::fs::write(&data, csv).unwrap();
    let out = temp.join("features");
    let result = weir(["features", "--data", text(&data), "--out", text(&out), "--json"]).ok();
    for fact in ["\"input\": 303", "\"kept\": 300", "\"quarantined\": 2", "\"excluded: unlabelled\": 1"] {
        assert!(result.stdout.contains(fact), "{}", result.stdout);
    }
    let shown = weir(["flows", text(&data)]).ok();
    assert!(
        shown.stdout.contains("301 flows (150 benign, 150 malicious, 1 unlabelled), 2 unreadable records"),
        "{}",
        shown.stdout
    );
    assert!(shown.stdout.contains(":302: column \"source_ip\""), "{}", shown.stdout);
    let parquet = temp.join("all.parquet");
    weir(["flows", text(&data), "--to", text(&parquet), "--quiet"]).ok();
    assert_eq!(read_flows(&parquet).unwrap().len(), 301);
}
