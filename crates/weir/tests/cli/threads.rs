//! The same bytes for any number of threads, and twice.

use weir_testkit::{TempRun, tree_digests};

use crate::{flows, text, weir};

/// All families and representations with the report's grids, on few flows.
#[test]
fn one_thread_two_threads_and_a_second_run_give_the_same_digests() {
    let temp = TempRun::new();
    let data = flows(&temp, 3_000);
    let digests = ["1", "2", "2"].iter().enumerate().map(|(run, jobs)| {
        let out = temp.join(&format!("run-{run}"));
        weir(["run", "--data", text(&data), "--out", text(&out), "--jobs", jobs]).ok();
        tree_digests(&out)
    });
    let digests: Vec<_> = digests.collect();
    assert!(digests[0].len() > 50, "all files of all stages: {}", digests[0].len());
    assert_eq!(digests[0], digests[1]);
    assert_eq!(digests[1], digests[2]);
}

/// Caches bound memory, not results.
#[test]
fn a_tiny_cache_gives_the_same_digests() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_500);
    let run = |name: &str, memory: &str| {
        let out = temp.join(name);
        weir(["run", "--data", text(&data), "--out", text(&out), "--models", "svc", "--memory", memory]).ok();
        tree_digests(&out)
    };
    assert_eq!(run("small", "1"), run("large", "1024"));
}

/// The portable kernels choose the same winner, and every label is the same.
#[test]
fn the_scalar_path_predicts_the_same_labels() {
    let temp = TempRun::new();
    let data = flows(&temp, 3_000);
    let run = |name: &str, simd: &str| {
        let out = temp.join(name);
        weir(["run", "--data", text(&data), "--out", text(&out), "--simd", simd]).ok();
        let winner = std::fs::read_to_string(out.join("selection/winner")).unwrap();
        let bundle = out.join("package/bundle");
        let labels = weir(["predict", "--bundle", text(&bundle), text(&data)]).ok().stdout;
        (winner, labels)
    };
    let (winner, rows) = run("auto", "auto");
    let (scalar_winner, scalar_rows) = run("scalar", "scalar");
    assert_eq!(winner, scalar_winner);
    assert_eq!(rows.lines().count(), scalar_rows.lines().count());
    let fields = |row: &str| row.split(',').map(str::to_owned).collect::<Vec<_>>();
    for (row, scalar) in rows.lines().skip(1).zip(scalar_rows.lines().skip(1)) {
        let (row, scalar) = (fields(row), fields(scalar));
        assert_eq!(row[..4], scalar[..4]);
        let score = |row: &[String]| row[4].parse::<f64>().unwrap();
        assert!((score(&row) - score(&scalar)).abs() <= 1e-9, "{row:?} {scalar:?}");
    }
}
