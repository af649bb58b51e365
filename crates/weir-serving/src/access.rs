//! The access log: one JSON line per request.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{Method, StatusCode, Uri};
use serde_json::json;

/// Lines are dropped, and counted, while so many bytes wait for a reader that does not read.
const MOST_WAITING: usize = 4 << 20;
/// How long a line waits to be written.
const PAUSE: Duration = Duration::from_millis(100);

/// Collects lines; a thread writes them.
#[derive(Debug)]
pub struct AccessLog {
    waiting: Mutex<Waiting>,
    closed: AtomicBool,
    ids: AtomicU64,
    /// Tells the ids of this process from those of others.
    prefix: u64,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    dropped: u64,
}

/// What is logged of a request.
pub(crate) struct Entry<'a> {
    pub(crate) remote: SocketAddr,
    pub(crate) id: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) status: StatusCode,
    /// Of the answer.
    pub(crate) bytes: u64,
    /// That were predicted.
    pub(crate) rows: Option<usize>,
    pub(crate) elapsed: Duration,
}

impl AccessLog {
    /// A log that a thread writes to `out` until [`AccessLog::close`] is called.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub fn start(mut out: impl Write + Send + 'static) -> io::Result<(Arc<Self>, JoinHandle<()>)> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let prefix = (since.as_micros() as u64) << 16 | u64::from(process::id()) & 0xffff;
        let log = Arc::new(Self {
            waiting: Mutex::default(),
            closed: AtomicBool::new(false),
            ids: AtomicU64::new(0),
            prefix,
        });
        let written = Arc::clone(&log);
        let writer = thread::Builder::new().name("access-log".to_owned()).spawn(move || {
            while !written.closed.load(Ordering::Relaxed) {
                thread::park_timeout(PAUSE);
                written.flush(&mut out);
            }
            written.flush(&mut out);
        })?;
        Ok((log, writer))
    }

    /// Lets the thread write what is left and end.
    pub fn close(&self, writer: JoinHandle<()>) {
        self.closed.store(true, Ordering::Relaxed);
        writer.thread().unpark();
        // A thread that panicked has said so.
        let _ = writer.join();
    }

    /// An id that no other request of this or another process has.
    pub(crate) fn next_id(&self) -> String {
        format!("{:016x}-{:x}", self.prefix, self.ids.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn write(&self, entry: &Entry<'_>) {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let line = json!({
            "time": time.as_millis() as u64,
            "remote": entry.remote.to_string(),
            "request_id": entry.id,
            "method": entry.method.as_str(),
            "path": entry.uri.path(),
            "status": entry.status.as_u16(),
            "bytes": entry.bytes,
            "rows": entry.rows,
            "microseconds": entry.elapsed.as_micros() as u64,
        });
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.lines.len() > MOST_WAITING {
            waiting.dropped += 1;
        } else {
            // Writing to memory does not fail.
            let _ = writeln!(waiting.lines, "{line}");
        }
    }

    /// Writes without holding up the requests.
    fn flush(&self, out: &mut impl Write) {
        let Waiting { mut lines, dropped } =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if dropped > 0 {
            let _ = writeln!(lines, "{}", json!({"dropped_lines": dropped}));
        }
        // A log that nobody takes is no reason to stop predicting.
        let _ = out.write_all(&lines).and_then(|()| out.flush());
    }
}
