//! Counts access logs and says how fast: `cargo run --release -p weir-accesslog --example count_log -- FILE...`.

#![expect(clippy::print_stdout, reason = "an example reports on stdout")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use weir_accesslog::{Settings, Source, count};

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        return Err("expected access logs: count_log FILE...".into());
    }
    let mut bytes = 0;
    let start = Instant::now();
    let sources = files.iter().map(|file| Source::file(Path::new(file))).collect();
    let counts = count(sources, &Settings::default(), |read| {
        bytes = read;
        true
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let log = &counts.log;
    println!(
        "{} lines ({} unreadable) of {} clients, {:.1} MB in {seconds:.3} s: {:.0} lines/s",
        log.lines,
        log.unreadable,
        log.clients,
        bytes as f64 / 1e6,
        log.lines as f64 / seconds
    );
    let mut clients: Vec<_> = counts.clients.iter().collect();
    clients.sort_by_key(|client| std::cmp::Reverse(client.evidence.peak_ten_seconds.count));
    for client in clients.into_iter().take(5) {
        let evidence = &client.evidence;
        println!(
            "{}: {} requests, surplus {}, {} in its worst ten seconds, {} in its worst second",
            client.address,
            evidence.requests,
            evidence.surplus,
            evidence.peak_ten_seconds.count,
            evidence.peak_second.count
        );
    }
    Ok(())
}
