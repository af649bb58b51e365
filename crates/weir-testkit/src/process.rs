//! Running a binary as its user does.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// How a process ended and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Exit code, `None` when a signal ended the process.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// This output, for a process that has to end well.
    ///
    /// # Panics
    /// With all the process said, when its exit code is not 0.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// Runs `binary`, a path such as `env!("CARGO_BIN_EXE_weir")` in a test of crate `weir`, to its end.
///
/// What the command layer reads from the environment is taken away: output is the same wherever tests run.
///
/// # Panics
/// When the binary cannot be started or writes what is not UTF-8.
pub fn run<A: AsRef<OsStr>>(binary: impl AsRef<Path>, args: impl IntoIterator<Item = A>) -> Output {
    let binary = binary.as_ref();
    let mut command = Command::new(binary);
    command.args(args).env_remove("ARGO_PROGRESS_FILE").env_remove("NO_COLOR").env_remove("RUST_BACKTRACE");
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
    let text = |bytes| String::from_utf8(bytes).unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
    Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_words_of_a_process_come_back() {
        let output = run("/bin/sh", ["-c", "echo data; echo words >&2; exit 4"]);
        assert_eq!(output, Output { code: Some(4), stdout: "data\n".to_owned(), stderr: "words\n".to_owned() });
        assert_eq!(run("/bin/sh", ["-c", "echo $1", "sh", "x"]).ok().stdout, "x\n");
        assert_eq!(run("/bin/sh", ["-c", "kill -9 $$"]).code, None);
    }

    #[test]
    #[should_panic(expected = "no such thing")]
    fn a_process_that_had_to_end_well_shows_what_it_said() {
        run("/bin/sh", ["-c", "echo no such thing >&2; exit 3"]).ok();
    }
}
