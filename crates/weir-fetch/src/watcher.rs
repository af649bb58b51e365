//! How a long transfer speaks to its caller, and how the caller stops it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::FetchError;

/// How long a wait goes on before it looks whether it should stop.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// What happens during a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// `done` bytes of the download are on disk; it begins again when they become fewer.
    Downloaded {
        /// Bytes on disk.
        done: u64,
        /// Bytes in all, where the server says so.
        total: Option<u64>,
    },
    /// An attempt failed and is repeated.
    Retry {
        /// Why it failed.
        reason: &'a str,
        /// Time until the next one.
        wait: Duration,
    },
    /// `done` of the `total` bytes of a member are unpacked.
    Unpacked {
        /// Name of the member's file.
        name: &'a str,
        /// Bytes unpacked.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
}

/// The caller's side of a transfer.
pub struct Watcher<'a> {
    cancelled: &'a AtomicBool,
    event: &'a mut dyn FnMut(Event<'_>),
}

impl<'a> Watcher<'a> {
    /// Stops when `cancelled` is set, tells `event` what happens.
    pub fn new(cancelled: &'a AtomicBool, event: &'a mut dyn FnMut(Event<'_>)) -> Self {
        Self { cancelled, event }
    }

    pub(crate) fn tell(&mut self, event: Event<'_>) {
        (self.event)(event);
    }

    pub(crate) fn check(&self) -> Result<(), FetchError> {
        if self.cancelled.load(Ordering::Relaxed) { Err(FetchError::Interrupted) } else { Ok(()) }
    }

    pub(crate) fn sleep(&self, wait: Duration) -> Result<(), FetchError> {
        let until = Instant::now() + wait;
        loop {
            self.check()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(TICK));
        }
    }
}
