//! A panic is a bug: one line for the user, a backtrace for who asks.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Failure;
use crate::printer::Printer;

/// Replaces the report of a panic by one line; further panics of the same process are its echoes in other threads.
pub(crate) fn report_in_one_line(printer: Printer) {
    let first = AtomicBool::new(true);
    panic::set_hook(Box::new(move |info| {
        if !first.swap(false, Ordering::SeqCst) {
            return;
        }
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let what = info.payload_as_str().unwrap_or("unknown").replace('\n', " ");
        let failure = Failure::retry(format!("internal error at {place}: {what}"));
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            printer.failure(&failure);
            printer.line(&backtrace.to_string());
        } else {
            printer.failure(&failure.hint("this is a bug of weir; RUST_BACKTRACE=1 shows where it comes from"));
        }
    }));
}
