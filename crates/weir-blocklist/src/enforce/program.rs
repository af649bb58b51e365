//! The system's programs, with a limit of time.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::EnforceError;

/// How long a program may take. Tens of thousands of addresses take a second.
const LIMIT: Duration = Duration::from_secs(30);

/// What a program left.
#[derive(Debug)]
pub(super) struct Output {
    program: &'static str,
    status: ExitStatus,
    /// Its standard output.
    pub(super) stdout: String,
    /// Its standard error, in one line.
    pub(super) stderr: String,
}

impl Output {
    /// Whether it ended with 0.
    pub(super) fn succeeded(&self) -> bool {
        self.status.success()
    }

    /// Its standard output, where it ended with 0.
    pub(super) fn success(self) -> Result<String, EnforceError> {
        if self.succeeded() { Ok(self.stdout) } else { Err(self.error()) }
    }

    /// What its failure means.
    pub(super) fn error(&self) -> EnforceError {
        let (program, stderr) = (self.program, self.stderr.clone());
        let says = |texts: &[&str]| texts.iter().any(|text| stderr.contains(text));
        if says(&["Operation not permitted", "Permission denied", "must be root"]) {
            return EnforceError::NotPermitted { program, stderr };
        }
        if says(&[
            "not supported",
            "Cannot open session to kernel",
            "Couldn't load match",
            "does not exist (do you need",
        ]) {
            return EnforceError::Unsupported { program, stderr };
        }
        EnforceError::Failed { program, status: self.status.to_string(), stderr }
    }
}

/// Runs `program` with `input` as its standard input, and waits for its end.
pub(super) fn run(program: &'static str, arguments: &[&str], input: &str) -> Result<Output, EnforceError> {
    run_within(program, arguments, input, LIMIT)
}

fn run_within(program: &'static str, arguments: &[&str], input: &str, limit: Duration) -> Result<Output, EnforceError> {
    let failed = |source| EnforceError::Start { program, source };
    let mut child = start(program, arguments)?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(failed(io::Error::other("it has no standard streams")));
    };
    thread::scope(|scope| {
        // A program that fails closes its input early; how it ends says why.
        scope.spawn(move || stdin.write_all(input.as_bytes()).and_then(|()| stdin.flush()));
        let stdout = scope.spawn(move || read(stdout));
        let stderr = scope.spawn(move || read(stderr));
        let status = wait(&mut child, limit).map_err(failed)?;
        let (Ok(stdout), Ok(stderr)) = (stdout.join(), stderr.join()) else {
            return Err(failed(io::Error::other("its output was not read")));
        };
        let Some(status) = status else { return Err(EnforceError::TimedOut { program, seconds: limit.as_secs() }) };
        let stderr = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Output { program, status, stdout, stderr })
    })
}

/// From the path of programs, or else from where administrators' programs are, which is not on everybody's path.
fn start(program: &'static str, arguments: &[&str]) -> Result<Child, EnforceError> {
    let spawn = |path: &Path| {
        let mut command = Command::new(path);
        // Messages are recognised, so they have to be in English.
        command.args(arguments).env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    };
    let not_found = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    match spawn(Path::new(program)) {
        Err(error) if not_found(&error) => spawn(&Path::new("/usr/sbin").join(program)),
        other => other,
    }
    .map_err(|source| {
        if not_found(&source) { EnforceError::NoProgram { program } } else { EnforceError::Start { program, source } }
    })
}

fn read(mut from: impl Read) -> String {
    let mut bytes = Vec::new();
    // What was read before an error is still what there is to say.
    let _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How the child ended; `None` when it was killed at the limit.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begin.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_input_than_a_pipe_holds_comes_back() {
        let input = "192.0.2.1\n".repeat(100_000);
        assert_eq!(run("cat", &[], &input).unwrap().success().unwrap(), input);
    }

    #[test]
    fn a_program_that_closes_its_input_early_is_judged_by_its_end() {
        let input = "x".repeat(1 << 20);
        assert!(run("true", &[], &input).unwrap().succeeded());
        let output = run("sh", &["-c", "echo broken >&2; echo twice >&2; exit 3"], &input).unwrap();
        let message = output.error().to_string();
        assert_eq!(message, "sh failed with exit status: 3: broken twice");
    }

    #[test]
    fn a_program_that_hangs_is_killed() {
        let error = run_within("sleep", &["600"], "", Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, EnforceError::TimedOut { program: "sleep", .. }), "{error}");
    }

    #[test]
    fn a_missing_program_and_a_missing_right_are_told_apart() {
        assert!(matches!(run("weir-no-such-program", &[], ""), Err(EnforceError::NoProgram { .. })));
        let denied = run("sh", &["-c", "echo 'Operation not permitted (you must be root)' >&2; exit 1"], "").unwrap();
        assert!(matches!(denied.error(), EnforceError::NotPermitted { .. }));
    }
}
