//! Writes the report of the tests' sample run to the path given, to be looked at.

use std::error::Error;

#[path = "../tests/report/sample.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod sample;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("expected the path of the HTML file to write")?;
    let sample = if std::env::args().nth(2).is_some() { sample::one_family() } else { sample::full() };
    std::fs::write(path, weir_report::render(&sample.report())?)?;
    Ok(())
}
