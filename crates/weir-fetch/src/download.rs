//! One file over HTTP(S), in as many attempts as it takes.

use std::path::Path;
use std::time::Duration;

use reqwest::Url;
use weir_contract::Digest;

use crate::attempt::{Setback, attempt};
use crate::client::{Client, Settings};
use crate::part::Part;
use crate::{Event, FetchError, Watcher};

/// An attempt that brings this many bytes more than any before it does not count as failed.
const HEADWAY: u64 = 1 << 20;

/// A file to download.
#[derive(Debug, Clone, Copy)]
pub struct Download<'a> {
    /// Where from, `http` or `https`.
    pub url: &'a str,
    /// Where to; `<to>.part` and `<to>.part.json` lie beside it until it is whole.
    pub to: &'a Path,
    /// What it has to be.
    pub expected: Expected,
    /// How the network is treated.
    pub settings: &'a Settings,
}

/// What is known of a file before it is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expected {
    /// Its length in bytes.
    pub bytes: Option<u64>,
    /// Its digest.
    pub sha256: Option<Digest>,
}

/// When a failed attempt is repeated: after `first`, then twice that, up to `longest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Failed attempts in a row before giving up; one that brought a MiB begins a new row.
    pub attempts: u32,
    /// Pause after the first failure of a row.
    pub first: Duration,
    /// Longest pause of our own.
    pub longest: Duration,
    /// Longest pause a server may ask for with `Retry-After`; where it asks for more, this much.
    pub retry_after: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 6,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(30),
            retry_after: Duration::from_secs(120),
        }
    }
}

impl Retry {
    fn pause(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let own = self.first.saturating_mul(doubled).min(self.longest);
        own.max(asked.unwrap_or_default().min(self.retry_after))
    }
}

/// A file that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Downloaded {
    /// Its length in bytes.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
    /// Bytes that were there before.
    pub resumed: u64,
    /// Requests made, redirects aside.
    pub attempts: u32,
}

impl Download<'_> {
    /// Whether the rest can be asked for: something is there, and a validator or a digest will tell if it fits.
    pub(crate) fn can_resume(&self, part: &Part) -> bool {
        part.length() > 0 && (part.origin().validator().is_some() || self.expected.sha256.is_some())
    }
}

/// Downloads a file. It goes on with what an earlier start left, repeats what may pass, and gives the file its name
/// only when it is whole and what was expected; an existing file is replaced.
///
/// A response that ends before its announced length is noticed and goes on. One that announces less than the file
/// has cannot be told from a whole file here: give [`Expected`], or read the file.
///
/// # Errors
/// [`FetchError`]; all but a wrong digest or length leave what arrived for the next start.
pub fn download(request: &Download<'_>, watcher: &mut Watcher<'_>) -> Result<Downloaded, FetchError> {
    check_url(request.url)?;
    let mut part = Part::open(request.to, request.url)?;
    let resumed = if request.can_resume(&part) || part.is_whole() { part.length() } else { 0 };
    let attempts = match if part.is_whole() { Ok(0) } else { complete(request, &mut part, watcher) } {
        // Nothing arrived: nothing is left behind.
        Err(error) if part.length() == 0 => {
            part.discard()?;
            return Err(error);
        }
        attempts => attempts?,
    };

    let (bytes, sha256) = (part.length(), part.digest());
    if let Some(expected) = request.expected.bytes.filter(|expected| *expected != bytes) {
        part.discard()?;
        return Err(FetchError::Length { url: request.url.to_owned(), expected, received: bytes });
    }
    if let Some(expected) = request.expected.sha256.filter(|expected| *expected != sha256) {
        part.discard()?;
        return Err(FetchError::Digest { what: request.url.to_owned(), expected, received: sha256 });
    }
    part.commit(request.to)?;
    Ok(Downloaded { bytes, sha256, resumed, attempts })
}

fn check_url(url: &str) -> Result<(), FetchError> {
    let wrong = |reason: String| FetchError::Url { url: url.to_owned(), reason };
    let parsed = Url::parse(url).map_err(|error| wrong(error.to_string()))?;
    match parsed.scheme() {
        "http" | "https" => Ok(()),
        scheme => Err(wrong(format!("{scheme} is neither https nor http"))),
    }
}

/// Makes attempts until the part is complete; their number.
fn complete(request: &Download<'_>, part: &mut Part, watcher: &mut Watcher<'_>) -> Result<u32, FetchError> {
    let client = Client::new(request.settings)?;
    let retry = &request.settings.retry;
    let (mut attempts, mut failures, mut farthest) = (0, 0, part.length());
    loop {
        attempts += 1;
        let (reason, asked) = match attempt(&client, request, part, watcher) {
            Ok(()) => return Ok(attempts),
            Err(Setback::Final(error)) => return Err(error),
            Err(Setback::Again { reason, wait }) => (reason, wait),
        };
        if part.length() >= farthest + HEADWAY {
            (failures, farthest) = (0, part.length());
        }
        failures += 1;
        if failures >= retry.attempts {
            return Err(FetchError::GaveUp {
                url: request.url.to_owned(),
                attempts,
                reason,
                there: part.progress(),
                part: part.path().to_owned(),
                resumable: request.can_resume(part),
            });
        }
        let wait = retry.pause(failures, asked);
        watcher.tell(Event::Retry { reason: &reason, wait });
        watcher.sleep(wait)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_a_server_may_ask_for_longer_ones_up_to_a_bound() {
        let retry = Retry::default();
        let seconds = |failures, asked: Option<u64>| retry.pause(failures, asked.map(Duration::from_secs)).as_secs();
        assert_eq!([1, 2, 3, 4, 5, 6, 99].map(|failures| seconds(failures, None)), [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(seconds(1, Some(20)), 20);
        assert_eq!(seconds(3, Some(1)), 4);
        assert_eq!(seconds(1, Some(86_400)), 120);
    }
}
