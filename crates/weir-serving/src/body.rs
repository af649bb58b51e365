//! Reading the body of a request within its limits.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::{HeaderMap, HeaderName};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::budget::{Budget, Share};
use crate::refusal::Refusal;

/// Bodies up to this length are not counted: they take no more than the connection itself.
const SMALL: usize = 16 << 10;
/// As many times the longest body may be in memory at once.
const LONGEST_AT_ONCE: usize = 8;
/// A body that is refused is read on and thrown away up to this length, because a client that is still sending does
/// not see the answer.
const DISCARDED: usize = 64 << 20;

/// Reads bodies.
#[derive(Debug)]
pub(crate) struct Bodies {
    longest: usize,
    timeout: Duration,
    memory: Budget,
}

/// A body, and the memory that was set aside for it.
pub(crate) struct Read {
    pub(crate) bytes: Bytes,
    /// Held for as long as the bytes are.
    pub(crate) _memory: Option<Share>,
}

impl Bodies {
    pub(crate) fn new(longest: usize, timeout: Duration) -> Self {
        Self { longest, timeout, memory: Budget::new(LONGEST_AT_ONCE * longest) }
    }

    /// The whole body.
    pub(crate) async fn read(&self, headers: &HeaderMap, mut body: Body) -> Result<Read, Refusal> {
        if let Some(encoding) = headers.get(CONTENT_ENCODING)
            && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
        {
            discard(body, self.timeout).await;
            return Err(Refusal::Encoding(String::from_utf8_lossy(encoding.as_bytes()).into_owned()));
        }
        let length = number(headers, &CONTENT_LENGTH)?;
        if length.is_some_and(|length| length > self.longest) {
            discard(body, self.timeout).await;
            return Err(Refusal::TooLong(self.longest));
        }
        let memory = match length {
            Some(length) if length <= SMALL => None,
            length => Some(self.memory.take(length.unwrap_or(self.longest)).ok_or(Refusal::Busy)?),
        };
        let bytes = timeout(self.timeout, collect(&mut body, self.longest, length.unwrap_or(0)));
        match bytes.await.map_err(|_| Refusal::Slow(self.timeout.as_secs())).flatten() {
            Ok(bytes) => Ok(Read { bytes, _memory: memory }),
            Err(refusal) => {
                if matches!(refusal, Refusal::TooLong(_)) {
                    discard(body, self.timeout).await;
                }
                Err(refusal)
            }
        }
    }
}

/// The whole number in a header, if it is there.
pub(crate) fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<usize>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    number.map(Some).ok_or_else(|| Refusal::Input(format!("header {name} has to be a number of bytes")))
}

async fn collect(body: &mut Body, longest: usize, expected: usize) -> Result<Bytes, Refusal> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal::Input(format!("the body breaks off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > longest {
            return Err(Refusal::TooLong(longest));
        }
        // Most bodies come in one piece, which is taken as it is.
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.reserve(expected.max(first.len() + data.len()));
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

async fn discard(mut body: Body, longest: Duration) {
    let all = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > DISCARDED {
                break;
            }
        }
    };
    // The client has had its time; what it is told is the refusal.
    let _ = timeout(longest, all).await;
}
