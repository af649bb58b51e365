//! What people see on stderr.

use std::io::{self, IsTerminal, Write};

use indicatif::{MultiProgress, ProgressDrawTarget};

use crate::{CommonArgs, Failure};

/// Lines on stderr that do not tear progress bars.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    bars: MultiProgress,
    quiet: bool,
    verbose: bool,
    color: bool,
    terminal: bool,
}

impl Default for Printer {
    fn default() -> Self {
        Self::new(&CommonArgs::default())
    }
}

impl Printer {
    pub(crate) fn new(common: &CommonArgs) -> Self {
        let terminal = io::stderr().is_terminal();
        // https://no-color.org: present and not empty.
        let color = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { bars, quiet: common.quiet, verbose: common.verbose, color, terminal }
    }

    /// Where bars are drawn, when a person is watching.
    pub(crate) fn bars(&self) -> Option<&MultiProgress> {
        (self.terminal && !self.quiet).then_some(&self.bars)
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    pub(crate) fn detail(&self, text: &str) {
        if self.verbose {
            self.line(text);
        }
    }

    pub(crate) fn warn(&self, text: &str) {
        self.line(&format!("{}: {text}", self.paint("33", "warning")));
    }

    pub(crate) fn failure(&self, failure: &Failure) {
        self.line(&format!("{}: {}", self.paint("1;31", "error"), failure.message));
        if let Some(hint) = &failure.hint {
            self.line(&format!("{}: {hint}", self.paint("1;36", "hint")));
        }
    }

    /// One line; a stderr that is closed is nobody's concern.
    pub(crate) fn line(&self, text: &str) {
        let write = || {
            let _ = writeln!(io::stderr(), "{text}");
        };
        if self.terminal { self.bars.suspend(write) } else { write() }
    }

    fn paint(&self, style: &str, word: &str) -> String {
        if self.color { format!("\x1b[{style}m{word}\x1b[0m") } else { word.to_owned() }
    }
}
