//! How fast a flow file is read: `cargo run --release -p weir-flows --example throughput -- FILE [ROWS PER BATCH]`.

#![expect(clippy::print_stdout, reason = "an example reports on stdout")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use weir_flows::FlowReader;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("expected the path of a flow file")?;
    let rows = std::env::args().nth(2).map_or(Ok(8192), |rows| rows.parse())?;
    let start = Instant::now();
    let mut reader = FlowReader::open(Path::new(&path), None)?;
    let (mut flows, mut rejected) = (0, 0);
    while let Some(batch) = reader.next_batch(rows)? {
        flows += batch.flows.len();
        rejected += batch.rejected.len();
    }
    let seconds = start.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&path)?.len();
    println!(
        "{}: {flows} flows, {rejected} rejected, {seconds:.3} s, {:.2} million rows/s, {:.0} MB/s",
        reader.format(),
        flows as f64 / seconds / 1e6,
        bytes as f64 / seconds / 1e6
    );
    Ok(())
}
