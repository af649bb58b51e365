//! Writes cases for `tests/great_expectations/compare.py`: flows, a suite, and Weir's result of it.
//!
//! ```text
//! <out>/<case>/flows.jsonl   one flow as an object per line
//!              suite.json    every type of expectation: holding, failing, and exactly on the border
//!              result.json   Weir's results
//! ```
//!
//! `cargo run --release -p weir-expectations --example great_expectations_case -- write <out>`
//!
//! `... -- reread <out>` reads the suites again as Great Expectations has written them (`rewritten-*.json`, from
//! `compare.py`) and holds their results against `result.json`.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use weir_contract::expectation::{Policy, Suite, SuiteResult};
use weir_contract::{Flow, FlowBatch, Label, Transport};
use weir_expectations::{Checked, KNOWN, Profile, SHIPPED, suggest};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", out] => write_all(Path::new(out)),
        ["reread", out] => reread_all(Path::new(out)),
        _ => Err("usage: great_expectations_case write|reread <directory>".into()),
    }
}

fn write_all(out: &Path) -> Result<(), Box<dyn Error>> {
    for (name, seed, rows, nulls) in [
        ("typical", 1, 3000, 10),
        ("without-nulls", 3, 400, 0),
        ("null-half", 4, 300, 50),
        ("one", 6, 1, 0),
        ("none", 8, 0, 0),
        ("nulls", 9, 5, 100),
    ] {
        let flows = flows(seed, rows, nulls);
        let suite = json!({"name": name, "expectations": probes(), "meta": {}});
        let (_, first) = evaluate(&suite, &flows)?;
        let suite = json!({"name": name, "expectations": with_borders(&first), "meta": {}});
        write(&out.join(name), &suite, &flows)?;

        let mut profile = Profile::default();
        profile.observe(&flows, 0..flows.len());
        let suggested = serde_json::to_value(suggest(&profile))?;
        let (_, results) = evaluate(&suggested, &flows)?;
        assert!(results.success, "a suggested suite holds on the data it came from");
        write(&out.join(format!("{name}-suggested")), &suggested, &flows)?;
    }
    for (name, text) in SHIPPED {
        write(&out.join(format!("shipped-{name}")), &serde_json::from_str(text)?, &flows(7, 800, 5))?;
    }
    Ok(())
}

fn reread_all(out: &Path) -> Result<(), Box<dyn Error>> {
    let mut read = 0;
    for case in fs::read_dir(out)? {
        let case = case?.path();
        let lines = fs::read_to_string(case.join("flows.jsonl"))?;
        let flows: FlowBatch = lines.lines().map(serde_json::from_str::<Flow>).collect::<Result<_, _>>()?;
        let result: SuiteResult = serde_json::from_str(&fs::read_to_string(case.join("result.json"))?)?;
        for file in fs::read_dir(&case)? {
            let file = file?.path();
            if !file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rewritten-")) {
                continue;
            }
            let (_, again) = evaluate(&serde_json::from_str(&fs::read_to_string(file)?)?, &flows)?;
            for one in &again.results {
                let number = one.expectation_config.meta["number"].as_u64().ok_or("an expectation lost its number")?;
                let before = &result.results[usize::try_from(number)?];
                if (one.success, &one.result) != (before.success, &before.result) {
                    return Err(format!("{}: {one:?} was {before:?}", case.display()).into());
                }
                read += 1;
            }
        }
    }
    if read == 0 { Err("no rewritten suites".into()) } else { Ok(()) }
}

/// Evaluates in pieces of 100 rows.
fn evaluate(suite: &Value, flows: &FlowBatch) -> Result<(Suite, SuiteResult), Box<dyn Error>> {
    let checked = Checked::parse(&suite.to_string(), "suite.json")?;
    let mut evaluation = checked.start();
    for begin in (0..flows.len()).step_by(100) {
        let mut piece = checked.start();
        piece.observe(&checked, flows, begin..flows.len().min(begin + 100), &mut |_, _| {});
        evaluation.merge(&checked, piece);
    }
    if let Some(duplicates) = evaluation.duplicates(&checked)? {
        let mut found = Vec::new();
        duplicates.observe(&checked, flows, 0..flows.len(), &mut |row, expectation| found.push((row, expectation)));
        found.iter().for_each(|(row, expectation)| evaluation.show(&checked, flows, *row, *expectation));
    }
    Ok((checked.suite().clone(), evaluation.finish(&checked, Policy::Always)?))
}

fn write(directory: &Path, suite: &Value, flows: &FlowBatch) -> Result<(), Box<dyn Error>> {
    // The number of an expectation survives the other side's sorting.
    let mut suite = suite.clone();
    for (number, expectation) in suite["expectations"].as_array_mut().into_iter().flatten().enumerate() {
        expectation["meta"] = json!({"number": number});
    }
    fs::create_dir_all(directory)?;
    let lines: Vec<String> =
        (0..flows.len()).map(|row| serde_json::to_string(&flows.flow(row))).collect::<Result<_, _>>()?;
    fs::write(directory.join("flows.jsonl"), lines.join("\n"))?;
    fs::write(directory.join("suite.json"), serde_json::to_string_pretty(&suite)?)?;
    let (_, result) = evaluate(&suite, flows)?;
    fs::write(directory.join("result.json"), serde_json::to_string_pretty(&result)?)?;
    Ok(())
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same flows everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

fn flows(seed: u64, rows: usize, nulls: u64) -> FlowBatch {
    let mut random = Random(seed);
    let mut batch = FlowBatch::default();
    for _ in 0..rows {
        let flow = flow(&mut random, rows as u64, nulls);
        batch.push(&flow);
        if random.chance(2) && batch.len() < rows {
            batch.push(&flow);
        }
    }
    batch.take(&(0..rows).collect::<Vec<_>>())
}

fn flow(random: &mut Random, rows: u64, nulls: u64) -> Flow {
    let malicious = random.chance(20);
    let transport = Transport::ALL[random.below(5) as usize];
    let (magnitude, long) = (random.below(40), 1 + random.below(50));
    let bytes = random.below(1 << magnitude) + 40;
    let addresses = ["10.0.0.1", "192.168.7.255", "2001:db8::1", "::", "::ffff:1.2.3.4", "255.255.255.255"];
    let mut address = || addresses[random.below(6) as usize].parse().expect("an address");
    let (source_ip, destination_ip) = (address(), address());
    // Extremes are in `packets`: sums of it would exceed the 64 bits of pandas.
    let extremes = [u64::MAX, u64::MAX / 2, (1 << 53) + 1, 0];
    let packets = if random.chance(2) { extremes[random.below(4) as usize] } else { 1 + random.below(bytes / 20 + 1) };
    let mut kept = |percent: u64| !random.chance(percent);
    let (id, time, source, destination) = (kept(nulls), kept(nulls / 2), kept(nulls), kept(nulls));
    let (has_bytes, has_packets, has_duration, has_last, has_label) =
        (kept(nulls), kept(nulls), kept(nulls), kept(nulls), kept(nulls / 2));
    Flow {
        flow_id: id.then(|| format!("flow \"ü\", {}", random.below(rows * 20))),
        event_time: time.then(|| 1_645_791_570_013 + random.below(86_400_000) as i64),
        source_ip,
        destination_ip,
        source_port: source.then(|| random.below(65536) as u16),
        destination_port: destination.then(|| [22, 53, 80, 443, 9200, 65535][random.below(6) as usize]),
        transport,
        bytes: has_bytes.then_some(bytes),
        packets: has_packets.then_some(packets),
        duration_ns: has_duration.then(|| random.below(1 << long)),
        last: has_last.then(|| random.chance(70)),
        label: has_label.then_some(if malicious { Label::Malicious } else { Label::Benign }),
        attack: malicious.then(|| ["scan", "flood"][random.below(2) as usize].to_owned()),
    }
}

/// Every type, with arguments under which it holds or does not.
fn probes() -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut add = |name: &str, kwargs: Value| {
        let name = format!("expect_{name}");
        assert!(KNOWN.contains(&name.as_str()), "{name}");
        all.push(json!({"type": name, "kwargs": kwargs, "meta": {}, "severity": "warning"}));
    };
    let numbers = ["event_time", "source_port", "destination_port", "bytes", "packets", "duration_ns"];
    for column in weir_contract::flow::COLUMNS {
        add("column_values_to_not_be_null", json!({"column": column}));
        add("column_values_to_be_null", json!({"column": column}));
        add("column_values_to_be_unique", json!({"column": column}));
        add("column_unique_value_count_to_be_between", json!({"column": column, "min_value": 2, "max_value": 1000}));
        add("column_proportion_of_unique_values_to_be_between", json!({"column": column, "min_value": 0.9}));
        for name in ["str", "uint64", "uint16", "bool", "datetime64[ms]", "int64", "float64"] {
            add("column_values_to_be_of_type", json!({"column": column, "type_": name}));
        }
        add("column_to_exist", json!({"column": column}));
        if column != "event_time" {
            add("column_value_lengths_to_be_between", json!({"column": column, "min_value": 3, "max_value": 12}));
            add("column_value_lengths_to_be_between", json!({"column": column, "min_value": 3, "strict_min": true}));
            add("column_value_lengths_to_equal", json!({"column": column, "value": 4}));
            add("column_values_to_match_regex", json!({"column": column, "regex": "^[0-9a-f.:]+$"}));
            add("column_values_to_match_regex", json!({"column": column, "regex": "[14]"}));
            add("column_values_to_not_match_regex", json!({"column": column, "regex": "(?i)1\\d|S|T"}));
        }
    }
    for column in numbers {
        for (low, high, strict) in [(100, 5000, false), (443, 65535, true), (0, 4_000_000_000_000i64, false)] {
            add(
                "column_values_to_be_between",
                json!({"column": column, "min_value": low, "max_value": high, "strict_min": strict, "strict_max": strict}),
            );
        }
        add("column_values_to_be_between", json!({"column": column, "min_value": 52.5, "max_value": null}));
        add("column_values_to_be_between", json!({"column": column, "max_value": 60.25}));
        add("column_min_to_be_between", json!({"column": column, "min_value": 1, "max_value": 50}));
        add("column_max_to_be_between", json!({"column": column, "max_value": 1_000_000}));
        add("column_median_to_be_between", json!({"column": column, "min_value": 100}));
        if column != "packets" {
            add("column_mean_to_be_between", json!({"column": column, "min_value": 1000, "max_value": 100_000}));
            add("column_stdev_to_be_between", json!({"column": column, "min_value": 1000.5}));
            add("column_sum_to_be_between", json!({"column": column, "max_value": 1_000_000_000}));
        }
        for interpolation in
            [json!(false), json!("linear"), json!("lower"), json!("higher"), json!("midpoint"), json!("nearest")]
        {
            let ranges = json!({"quantiles": [0.0, 0.1, 0.33, 0.5, 0.9, 1.0],
                "value_ranges": [[null, 50], [0, 1000], [0, 1e9], [53, null], [0, 1], [0, 1e20]]});
            let kwargs = json!({"column": column, "quantile_ranges": ranges, "allow_relative_error": interpolation});
            add("column_quantile_values_to_be_between", kwargs);
        }
        for (tails, inner) in [(0.0, 0.0), (0.01, 0.0), (0.02, 0.001)] {
            let partition = json!({"bins": [40, 443, 1000.5, 65535, 1e12], "weights": [0.5, 0.25, 0.0, 0.25]});
            add(
                "column_kl_divergence_to_be_less_than",
                json!({"column": column, "partition_object": partition, "threshold": 2.5,
                    "tail_weight_holdout": tails, "internal_weight_holdout": inner}),
            );
        }
        let partition = json!({"bins": [0, 443, 65535], "weights": [0.5, 0.3], "tail_weights": [0.1, 0.1]});
        add(
            "column_kl_divergence_to_be_less_than",
            json!({"column": column, "partition_object": partition, "threshold": 0.5}),
        );
    }
    for (a, b) in [("bytes", "packets"), ("packets", "duration_ns"), ("source_port", "destination_port")] {
        for ignore in ["both_values_are_missing", "either_value_is_missing", "neither"] {
            for or_equal in [true, false] {
                let kwargs = json!({"column_A": a, "column_B": b, "or_equal": or_equal, "ignore_row_if": ignore});
                add("column_pair_values_a_to_be_greater_than_b", kwargs);
            }
            add("column_pair_values_to_be_equal", json!({"column_A": a, "column_B": b, "ignore_row_if": ignore}));
        }
    }
    add("column_pair_values_to_be_equal", json!({"column_A": "source_ip", "column_B": "destination_ip"}));
    for ignore in ["all_values_are_missing", "any_value_is_missing", "never"] {
        for list in
            [json!(["flow_id", "event_time"]), json!(["transport", "label", "attack"]), json!(["attack", "final"])]
        {
            add("compound_columns_to_be_unique", json!({"column_list": list, "ignore_row_if": ignore}));
        }
        let list = json!(["source_ip", "destination_ip"]);
        add("select_column_values_to_be_unique_within_record", json!({"column_list": list, "ignore_row_if": ignore}));
    }
    let sets = [
        ("transport", json!(["tcp", "udp", "icmp"])),
        ("transport", json!(["tcp", "udp", "icmp", "icmp6", "other"])),
        ("label", json!(["benign"])),
        ("attack", json!(["scan", "flood", "theft"])),
        ("final", json!([true])),
        ("destination_port", json!([22, 53.0, 80, 443])),
        ("source_ip", json!(["10.0.0.1", "2001:db8::1", "::", "10.9.9.9"])),
        ("packets", json!([1, 2, 3])),
    ];
    for (column, set) in sets {
        let kwargs = json!({"column": column, "value_set": set});
        add("column_values_to_be_in_set", kwargs.clone());
        add("column_values_to_not_be_in_set", kwargs.clone());
        add("column_distinct_values_to_be_in_set", kwargs.clone());
        add("column_distinct_values_to_contain_set", kwargs.clone());
        add("column_distinct_values_to_equal_set", kwargs.clone());
        add("column_most_common_value_to_be_in_set", kwargs.clone());
        add("column_most_common_value_to_be_in_set", json!({"column": column, "value_set": set, "ties_okay": true}));
    }
    for (column, values, weights) in [
        ("transport", json!(["tcp", "udp", "icmp", "icmp6"]), json!([0.4, 0.3, 0.2, 0.1])),
        ("label", json!(["malicious", "benign"]), json!([0.2, 0.8])),
        ("attack", json!(["scan", "flood", "theft"]), json!([0.5, 0.5, 0.0])),
        ("destination_port", json!([22, 53, 80, 443, 9200, 65535, 1]), json!([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4])),
    ] {
        for holdout in [0.0, 0.05] {
            let partition = json!({"values": values, "weights": weights});
            add(
                "column_kl_divergence_to_be_less_than",
                json!({"column": column, "partition_object": partition, "threshold": 0.05, "tail_weight_holdout": holdout}),
            );
        }
    }
    let (early, late) = ("2022-02-25T12:19:30.013", "2022-02-26T00:00:00");
    for name in ["column_values", "column_min", "column_max", "column_mean", "column_median"] {
        add(&format!("{name}_to_be_between"), json!({"column": "event_time", "min_value": early, "max_value": late}));
    }
    add("column_to_exist", json!({"column": "colour"}));
    add("column_to_exist", json!({"column": "bytes", "column_index": 7}));
    add("column_to_exist", json!({"column": "bytes", "column_index": 6}));
    add("table_columns_to_match_set", json!({"column_set": weir_contract::flow::COLUMNS}));
    add("table_columns_to_match_set", json!({"column_set": ["bytes", "packets"], "exact_match": false}));
    add("table_columns_to_match_set", json!({"column_set": ["bytes", "colour"], "exact_match": true}));
    add("table_columns_to_match_set", json!({"column_set": ["bytes", "colour"], "exact_match": false}));
    add("table_column_count_to_be_between", json!({"min_value": 13, "max_value": 13}));
    add("table_column_count_to_equal", json!({"value": 12}));
    add("table_row_count_to_be_between", json!({"min_value": 7, "max_value": 1000}));
    add("table_row_count_to_equal", json!({"value": 501}));
    all
}

/// The probes again with `mostly` at the share found and just above it, bounds at the value found, open and closed.
fn with_borders(result: &SuiteResult) -> Vec<Value> {
    let mut all = Vec::new();
    for probe in &result.results {
        let variant = |changes: Map<String, Value>| {
            let mut kwargs = probe.expectation_config.kwargs.clone();
            kwargs.extend(changes);
            json!({"type": probe.expectation_config.kind, "kwargs": kwargs, "meta": {}})
        };
        all.push(variant(Map::new()));
        let count = |name: &str| probe.result.get(name).and_then(Value::as_u64);
        if let (Some(rows), Some(unexpected)) = (count("element_count"), count("unexpected_count")) {
            let present = rows - count("missing_count").unwrap_or(0);
            let share = (present - unexpected) as f64 / present.max(1) as f64;
            let mostly = |share: f64| Map::from_iter([("mostly".to_owned(), json!(share.min(1.0)))]);
            all.extend([variant(mostly(share)), variant(mostly(share.next_up())), variant(mostly(0.5))]);
        }
        let observed = probe.result.get("observed_value").and_then(Value::as_f64);
        if let (Some(value), true) = (observed, probe.expectation_config.kind.ends_with("_to_be_between")) {
            for (bound, strict) in [("min_value", "strict_min"), ("max_value", "strict_max")] {
                if probe.expectation_config.kind.contains("table_column_count") {
                    continue;
                }
                for open in [false, true] {
                    let ends = ["min_value", "max_value"].map(|end| (end.to_owned(), Value::Null));
                    let mut changes = Map::from_iter(ends);
                    changes.insert(bound.to_owned(), probe.result["observed_value"].clone());
                    changes.insert(strict.to_owned(), json!(open));
                    // Means and deviations differ in the last bits between libraries.
                    if value.fract() == 0.0 && value < 2f64.powi(53) {
                        all.push(variant(changes));
                    }
                }
            }
        }
    }
    all
}
