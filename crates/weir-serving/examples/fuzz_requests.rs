//! Mutates valid requests of v1, v2 and its binary extension for a while and checks what the predictor promises for any
//! bytes: `cargo run --release -p weir-serving --example fuzz_requests -- --seconds 600 [--seed 1]`. A mutation that breaks a
//! promise is written to a file in the temporary directory; memory that grows is a broken promise, too.

#![expect(clippy::print_stdout, reason = "an example reports on stdout")]

#[allow(dead_code, reason = "tests use more of it")]
#[path = "../../weir-bundle/tests/bundle/fixture.rs"]
mod bundle;
#[allow(dead_code, reason = "tests use more of it")]
#[path = "../tests/serving/fixture.rs"]
mod fixture;
#[path = "../tests/serving/mutation.rs"]
mod mutation;

use std::error::Error;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use mutation::{check, mutate, seeds};
use weir_testkit::Random;

/// Requests after which memory is taken to be what it will stay.
const WARM: u64 = 20_000;
/// What memory may grow by afterwards: allocators keep what was freed.
const GROWTH: u64 = 16 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = argument("--seconds", 60)?;
    let mut random = Random(argument("--seed", 1)?);
    let served = fixture::served();
    let seeds = seeds(&served.bundle);
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut requests, mut answered, mut warm) = (0, 0, None);
    while Instant::now() < end {
        for seed in &seeds {
            let mutated = mutate(seed, &seeds[random.below(seeds.len())], &mut random);
            match catch_unwind(AssertUnwindSafe(|| check(&served.app, &mutated))) {
                Ok(answer) => answered += u64::from(answer.status == 200),
                Err(_) => {
                    let path = std::env::temp_dir().join(format!("request-{requests}"));
                    fs::write(&path, &mutated.body)?;
                    let (path, header) = (path.display(), mutated.header);
                    return Err(format!("{}, header length {header:?}: see {path}", mutated.path).into());
                }
            }
            requests += 1;
            if requests == WARM {
                warm = Some(resident()?);
            }
        }
    }
    let text = String::from_utf8(served.get("/metrics").body)?;
    if !text.contains("weir_panics_total 0\n") {
        return Err("a request made the predictor panic".into());
    }
    let growth = warm.map_or(0, |warm| resident().unwrap_or(0).saturating_sub(warm));
    if growth > GROWTH {
        return Err(format!("resident memory grew by {growth} bytes").into());
    }
    println!("{requests} requests in {seconds} s, {answered} answered, the others refused: every promise kept");
    println!("resident memory grew by {growth} bytes after the first {WARM}");
    Ok(())
}

/// Resident memory of this process, bytes.
fn resident() -> Result<u64, Box<dyn Error>> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    Ok(pages.split_ascii_whitespace().nth(1).unwrap_or("0").parse::<u64>()? * 4096)
}

fn argument(name: &str, default: u64) -> Result<u64, Box<dyn Error>> {
    let mut arguments = std::env::args();
    match arguments.find(|argument| argument == name) {
        Some(_) => Ok(arguments.next().ok_or_else(|| format!("expected a number after {name}"))?.parse()?),
        None => Ok(default),
    }
}
