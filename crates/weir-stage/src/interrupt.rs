//! Ctrl-C and SIGTERM: the first asks, the second insists.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use weir_contract::ExitCode;

use crate::printer::Printer;

/// Sets `cancelled` on the first signal; ends the process on the second.
pub(crate) fn listen(cancelled: Arc<AtomicBool>, printer: Printer) {
    let heard = ctrlc::set_handler(move || {
        if cancelled.swap(true, Ordering::SeqCst) {
            process::exit(i32::from(ExitCode::Interrupted.code()));
        }
        printer.note("stopping; once more to stop at once");
    });
    // Nobody else in this process sets a handler; if the system refuses one, its own is the second best.
    if let Err(error) = heard {
        Printer::default().warn(&format!("failed to listen for signals: {error}"));
    }
}
