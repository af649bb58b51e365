//! The command `weir` as its users call it.

mod crash;
mod deploy;
mod features;
mod predict;
mod predict_pipe;
mod real;
mod refusals;
mod run;
mod search;
mod skew;
mod store;
mod threads;
mod workflows;

use std::path::{Path, PathBuf};

use weir_testkit::{Output, TempRun};

/// Grids of one or two candidates, for tests of everything but the search.
const SMALL: [&str; 8] = [
    "--set",
    "training.grid.svc={C=[1], kernel=[\"rbf\"]}",
    "--set",
    "training.grid.logistic-regression={C=[1, 10]}",
    "--set",
    "training.grid.knn={n_neighbors=[3]}",
    "--set",
    "training.grid.decision-tree={max_depth=[5, 10]}",
];

fn weir<'a>(args: impl IntoIterator<Item = &'a str>) -> Output {
    weir_testkit::run(env!("CARGO_BIN_EXE_weir"), args)
}

/// Simulated flows in a file of `temp`.
fn flows(temp: &TempRun, rows: u32) -> PathBuf {
    let path = temp.join("flows.csv");
    weir(["simulate", "flows", "--rows", &rows.to_string(), "--out", text(&path)]).ok();
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are text")
}
