//! Seconds of one thread for the shipped suite over a million flows, in cells as the features stage cuts them.
//!
//! `cargo run --release -p weir-expectations --example throughput`

use std::error::Error;
use std::io::Write as _;
use std::time::Instant;

use weir_contract::expectation::Policy;
use weir_contract::{Flow, FlowBatch, Label, Transport};
use weir_expectations::{Checked, Profile, SHIPPED};

const ROWS: usize = 1_000_000;
const CELL: usize = 4096;

fn main() -> Result<(), Box<dyn Error>> {
    let flows: FlowBatch = (0..ROWS as u64).map(flow).collect();
    let mut out = std::io::stdout().lock();
    let uniqueness = r#"{"name": "unique", "expectations": [
        {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "flow_id"}}]}"#;
    let quantiles = r#"{"name": "quantiles", "expectations": [
        {"type": "expect_column_median_to_be_between", "kwargs": {"column": "bytes"}},
        {"type": "expect_column_stdev_to_be_between", "kwargs": {"column": "bytes"}}]}"#;
    for (name, text) in SHIPPED.into_iter().chain([("flow_id unique", uniqueness), ("median, stdev", quantiles)]) {
        let checked = Checked::parse(text, name)?;
        let begin = Instant::now();
        let mut whole = checked.start();
        let mut unexpected = 0;
        for cell in (0..ROWS).step_by(CELL) {
            let mut piece = checked.start();
            piece.observe(&checked, &flows, cell..ROWS.min(cell + CELL), &mut |_, _| unexpected += 1);
            whole.merge(&checked, piece);
        }
        let success = whole.finish(&checked, Policy::Always)?.success;
        let seconds = begin.elapsed().as_secs_f64();
        writeln!(
            out,
            "{name}: {seconds:.4} s for {} expectations, {ROWS} rows, success {success}, {unexpected} unexpected",
            checked.len()
        )?;
    }
    let begin = Instant::now();
    let mut profile = Profile::default();
    (0..ROWS).step_by(CELL).for_each(|cell| profile.observe(&flows, cell..ROWS.min(cell + CELL)));
    writeln!(out, "profile: {:.4} s", begin.elapsed().as_secs_f64())?;
    Ok(())
}

fn flow(row: u64) -> Flow {
    let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Flow {
        flow_id: Some(format!("{mixed:x}")),
        event_time: Some(1_645_791_570_013 + row as i64),
        source_ip: "10.0.0.1".parse().expect("an address"),
        destination_ip: "10.0.0.2".parse().expect("an address"),
        source_port: (!row.is_multiple_of(16)).then_some((mixed >> 48) as u16),
        destination_port: (!row.is_multiple_of(16)).then_some(443),
        transport: Transport::ALL[(mixed >> 60) as usize % 5],
        bytes: Some(100 + (mixed >> 44)),
        packets: Some(1 + (mixed >> 60)),
        duration_ns: Some(mixed >> 30),
        last: Some(!row.is_multiple_of(3)),
        label: Some(Label::from_class((row % 2) as u8)),
        attack: None,
    }
}
