//! Where data for tests is.

use std::path::PathBuf;

/// Names the folder of real data sets.
const SHARED_DATA: &str = "WEIR_SHARED_DATA";

/// The sample of this repository, `data/sample/flows.csv`.
#[must_use]
pub fn sample() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../data/sample/flows.csv")
}

/// The folder named by the environment variable `WEIR_SHARED_DATA`; without it a line on stderr says that the test
/// is skipped, and the caller returns.
///
/// # Panics
/// When the variable names no folder: a wrong path must not look like a passed test.
#[must_use]
#[expect(clippy::print_stderr, reason = "a skipped test has to be seen")]
pub fn shared_data() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os(SHARED_DATA).map(PathBuf::from) else {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        eprintln!("SKIPPED {test}: set {SHARED_DATA} to the folder of real data");
        return None;
    };
    assert!(folder.is_dir(), "{SHARED_DATA} is {}, which is no folder", folder.display());
    Some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_a_table_with_a_label() {
        let text = std::fs::read_to_string(sample()).unwrap();
        assert!(text.lines().next().unwrap().contains("label"));
        assert!(text.lines().count() > 1_000);
    }
}
