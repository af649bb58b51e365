//! Mutates the files in `tests/data` for a while and checks what a decoder promises for any bytes:
//! `cargo run --release -p weir-flows --example fuzz -- --seconds 600 [--seed 1]`. A mutation that breaks a promise is
//! written to a file in the temporary directory.

#![expect(clippy::print_stdout, reason = "an example reports on stdout")]

#[path = "../tests/reading/mutation.rs"]
mod mutation;

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use mutation::{check, mutate, seeds};
use weir_flows::Format;
use weir_testkit::Random;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = argument("--seconds", 60)?;
    let mut random = Random(argument("--seed", 1)?);
    let seeds = seeds();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut mutations: u64 = 0;
    while Instant::now() < end {
        for seed in &seeds {
            let other = &seeds[random.below(seeds.len())];
            let bytes = mutate(&seed.bytes, &other.bytes, &mut random);
            // Now and then the bytes are said to be in a format they are not in.
            let format = if random.below(8) == 0 { other.format } else { seed.format };
            if catch_unwind(AssertUnwindSafe(|| check(&bytes, format, &mut random))).is_err() {
                let path = std::env::temp_dir().join(format!("{format}-mutation-{mutations}"));
                std::fs::write(&path, &bytes)?;
                return Err(format!("{}, mutated, as {format}: see {}", seed.name, path.display()).into());
            }
            mutations += 1;
        }
    }
    let formats = Format::ALL.len();
    println!("{mutations} mutations of {} files in {formats} formats, {seconds} s: every promise kept", seeds.len());
    Ok(())
}

fn argument(name: &str, default: u64) -> Result<u64, Box<dyn Error>> {
    let mut arguments = std::env::args();
    match arguments.find(|argument| argument == name) {
        Some(_) => Ok(arguments.next().ok_or_else(|| format!("expected a number after {name}"))?.parse()?),
        None => Ok(default),
    }
}
