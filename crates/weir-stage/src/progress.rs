//! How far a long part of a stage is: a bar for a person, lines for a log, `N/M` for Argo.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::printer::Printer;

/// Time between two lines in a log.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Time between two writes of Argo's file, which it reads every few seconds.
const FILE_EVERY: Duration = Duration::from_secs(1);

/// A running part of a stage; any thread may advance it. Dropping it ends the part.
pub struct ProgressHandle {
    label: String,
    /// Pieces in all, 0 when unknown.
    total: u64,
    done: AtomicU64,
    started: Instant,
    printer: Printer,
    bar: Option<ProgressBar>,
    file: Option<PathBuf>,
    last: Mutex<Last>,
}

struct Last {
    line: Instant,
    file: Instant,
}

impl ProgressHandle {
    pub(crate) fn start(label: &str, total: u64, printer: Printer, file: Option<&Path>) -> Self {
        let started = Instant::now();
        let bar = printer.bars().map(|bars| bars.add(bar(label, total)));
        if bar.is_none() {
            printer.note(label);
        }
        let file = file.filter(|_| total > 0).map(Path::to_owned);
        let last = Mutex::new(Last { line: started, file: started });
        let label = label.to_owned();
        let handle = Self { label, total, done: AtomicU64::new(0), started, printer, bar, file, last };
        handle.write_file(0);
        handle
    }

    /// `pieces` more are done.
    pub fn advance(&self, pieces: u64) {
        let done = self.done.fetch_add(pieces, Ordering::Relaxed) + pieces;
        if let Some(bar) = &self.bar {
            bar.inc(pieces);
        }
        // A thread that finds another one here leaves the reporting to it.
        let Ok(mut last) = self.last.try_lock() else { return };
        let now = Instant::now();
        if self.bar.is_none() && now - last.line >= LINE_EVERY {
            last.line = now;
            self.line(done);
        }
        if now - last.file >= FILE_EVERY {
            last.file = now;
            self.write_file(done);
        }
    }

    /// Pieces done so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Ends the part; the same as dropping the handle.
    pub fn finish(self) {}

    fn line(&self, done: u64) {
        let seconds = self.started.elapsed().as_secs_f64();
        let Self { label, total, .. } = self;
        match total {
            0 => self.printer.note(&format!("{label}: {done} in {seconds:.1} s")),
            _ => self.printer.note(&format!("{label}: {done}/{total} in {seconds:.1} s")),
        }
    }

    /// Argo reads `N/M` with 0 <= N <= M; a file that cannot be written is no reason to fail a stage.
    fn write_file(&self, done: u64) {
        if let Some(file) = &self.file {
            let _ = std::fs::write(file, format!("{}/{}\n", done.min(self.total), self.total));
        }
    }
}

impl Drop for ProgressHandle {
    fn drop(&mut self) {
        let done = self.done();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.line(done);
        self.write_file(done);
    }
}

fn bar(label: &str, total: u64) -> ProgressBar {
    let (bar, template) = match total {
        0 => (ProgressBar::new_spinner(), "{spinner} {msg} {human_pos} {elapsed}"),
        _ => (ProgressBar::new(total), "{msg} [{bar:30}] {human_pos}/{human_len} {elapsed}, {eta} left"),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_message(label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CommonArgs;

    #[test]
    fn the_file_holds_pieces_done_of_all_whatever_thread_did_them() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("progress");
        let printer = Printer::new(&CommonArgs { quiet: true, ..CommonArgs::default() });
        let progress = ProgressHandle::start("search", 40, printer, Some(&file));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "0/40\n");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10).for_each(|_| progress.advance(1)));
            }
        });
        assert_eq!(progress.done(), 40);
        progress.finish();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "40/40\n");
    }
}
