//! What a command speaks through.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use weir_contract::json;

use crate::printer::Printer;
use crate::{CommonArgs, Failure, ProgressHandle, RunClock};

/// The surroundings of a running command: its common arguments, its voice, and whether it should stop.
#[derive(Debug, Clone)]
pub struct Stage {
    version: &'static str,
    common: CommonArgs,
    threads: usize,
    cancelled: Arc<AtomicBool>,
    printer: Printer,
    progress_file: Option<PathBuf>,
}

impl Stage {
    /// The surroundings that [`crate::main`] makes for a command. Reads the environment, starts nothing.
    #[must_use]
    pub fn new(version: &'static str, common: CommonArgs) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = common.jobs.map_or_else(cores, usize::from);
        let printer = Printer::new(&common);
        let progress_file = std::env::var_os("ARGO_PROGRESS_FILE").filter(|file| !file.is_empty()).map(PathBuf::from);
        Self { version, common, threads, cancelled: Arc::default(), printer, progress_file }
    }

    /// Surroundings that say nothing but warnings and look at nothing outside, for tests.
    #[must_use]
    pub fn silent() -> Self {
        let common = CommonArgs { quiet: true, ..CommonArgs::default() };
        Self { progress_file: None, ..Self::new("test", common) }
    }

    /// The common arguments.
    #[must_use]
    pub fn common(&self) -> &CommonArgs {
        &self.common
    }

    /// Version of the program.
    #[must_use]
    pub fn version(&self) -> &'static str {
        self.version
    }

    /// Worker threads of the process's pool.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Set when the command should stop.
    #[must_use]
    pub fn cancelled(&self) -> &AtomicBool {
        &self.cancelled
    }

    /// Whether the command should stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Goes on, unless the command should stop.
    ///
    /// # Errors
    /// [`Failure::interrupted`] once Ctrl-C or SIGTERM came.
    pub fn check(&self) -> Result<(), Failure> {
        if self.is_cancelled() { Err(Failure::interrupted()) } else { Ok(()) }
    }

    /// Starts the display of a part with `total` pieces (0: unknown).
    #[must_use]
    pub fn progress(&self, label: &str, total: u64) -> ProgressHandle {
        ProgressHandle::start(label, total, self.printer.clone(), self.progress_file.as_deref())
    }

    /// A line for people, hidden by `--quiet`.
    pub fn note(&self, text: impl AsRef<str>) {
        self.printer.note(text.as_ref());
    }

    /// A line for people who asked with `--verbose`.
    pub fn detail(&self, text: impl AsRef<str>) {
        self.printer.detail(text.as_ref());
    }

    /// A line for people that begins with `warning:`.
    pub fn warn(&self, text: impl AsRef<str>) {
        self.printer.warn(text.as_ref());
    }

    /// The command's result on stdout: canonical JSON with `--json`, else the text for people, which
    /// `--quiet` hides.
    ///
    /// # Errors
    /// [`Failure::retry`] when stdout cannot be written. A reader that closed it early has what it wanted.
    pub fn result<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let bytes = match (self.common.json, self.printer.is_quiet()) {
            (true, _) => json::to_canonical(value)
                .map_err(|error| Failure::retry(format!("failed to write the result as JSON: {error}")))?,
            (false, true) => return Ok(()),
            (false, false) => format!("{}\n", text().trim_end_matches('\n')).into_bytes(),
        };
        let mut stdout = io::stdout().lock();
        match stdout.write_all(&bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::retry(format!("failed to write to stdout: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// A variable of the process's environment; an empty one is none.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// Starts the clock of a run.
    #[must_use]
    pub fn clock(&self) -> RunClock {
        RunClock::start(self.version, self.threads)
    }

    pub(crate) fn printer(&self) -> &Printer {
        &self.printer
    }

    pub(crate) fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }
}
