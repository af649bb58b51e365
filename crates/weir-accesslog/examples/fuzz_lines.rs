//! Mutates lines of every format for a while and checks what is promised for any bytes:
//! `cargo run --release -p weir-accesslog --example fuzz_lines -- --seconds 600 [--seed 1]`. A log that breaks a promise is
//! written to a file in the temporary directory.

#![expect(clippy::print_stdout, reason = "an example reports on stdout")]

#[path = "../tests/counting/mutation.rs"]
mod mutation;

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use mutation::{check, mutated_log, seeds};
use weir_testkit::Random;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = argument("--seconds", 60)?;
    let mut random = Random(argument("--seed", 1)?);
    let seeds = seeds();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut logs: u64 = 0;
    while Instant::now() < end {
        let log = mutated_log(&seeds, &mut random);
        if catch_unwind(AssertUnwindSafe(|| check(&log, &mut random))).is_err() {
            let path = std::env::temp_dir().join(format!("access-log-mutation-{logs}"));
            std::fs::write(&path, &log)?;
            return Err(format!("a promise is broken: see {}", path.display()).into());
        }
        logs += 1;
    }
    println!("{logs} damaged logs from {} lines, {seconds} s: every promise kept", seeds.len());
    Ok(())
}

fn argument(name: &str, default: u64) -> Result<u64, Box<dyn Error>> {
    let mut arguments = std::env::args();
    match arguments.find(|argument| argument == name) {
        Some(_) => Ok(arguments.next().ok_or_else(|| format!("expected a number after {name}"))?.parse()?),
        None => Ok(default),
    }
}
