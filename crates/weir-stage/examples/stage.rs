//! The smallest stage binary: counts, and ends as it is told. The tests of the command layer run it.

use std::process::ExitCode;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use clap::Parser;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde_json::json;
use weir_stage::{CommonArgs, Failure, Stage};

/// Count to a number
#[derive(Parser)]
struct Count {
    #[command(flatten)]
    common: CommonArgs,

    /// What to count to
    #[arg(long, default_value_t = 4)]
    to: u64,

    /// How to end
    #[arg(long, default_value = "well")]
    end: String,
}

impl AsRef<CommonArgs> for Count {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

fn main() -> ExitCode {
    weir_stage::main("count", "1.2.3", run)
}

fn run(arguments: Count, stage: &Stage) -> Result<(), Failure> {
    let progress = stage.progress("count", arguments.to);
    let sum = AtomicU64::new(0);
    (0..arguments.to).into_par_iter().for_each(|i| {
        sum.fetch_add(i, Relaxed);
        progress.advance(1);
        assert!(arguments.end != "panic", "cannot count\non");
    });
    progress.finish();
    stage.detail("details");
    match arguments.end.as_str() {
        "usage" => return Err(Failure::usage("wrong --end").hint("leave it out")),
        "input" => return Err(Failure::input("a.parquet is missing")),
        "retry" => return Err(Failure::retry("disk full")),
        "gate" => return Err(Failure::gate("worse than the champion")),
        "wait" | "deaf" => wait(stage, arguments.end == "deaf")?,
        _ => {}
    }
    let result = json!({"threads": rayon::current_num_threads(), "sum": sum.load(Relaxed)});
    stage.result(&result, || format!("sum {}", result["sum"]))
}

/// Waits for a signal; deaf, it hears none.
fn wait(stage: &Stage, deaf: bool) -> Result<(), Failure> {
    stage.note("waiting");
    loop {
        if !deaf {
            stage.check()?;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
