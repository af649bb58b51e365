//! One HTTP request and its answer, tried again where that may help.

use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::time::{sleep, timeout};
use weir_http::chain;

/// The longest answer that is read, in bytes.
const ANSWER_LIMIT: usize = 64 << 20;
/// Wait before the second attempt; each further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait, also where the server asks for a longer one.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How requests are sent.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) http: Client,
    /// Longest time from sending to the last byte of the answer.
    pub(crate) timeout: Duration,
    /// Attempts after the first.
    pub(crate) retries: u32,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask<'a> {
    Get,
    /// A body of JSON.
    Post(&'a [u8]),
}

/// A server's answer, whatever it says.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
    /// Of the attempt that was answered.
    pub(crate) time: Duration,
    /// Attempts before it.
    pub(crate) retries: u32,
}

/// There was no answer, in all attempts.
#[derive(Debug)]
pub(crate) struct NoReply {
    pub(crate) attempts: u32,
    /// Why the last attempt failed.
    pub(crate) reason: String,
}

/// An attempt that may be repeated.
struct Setback {
    reason: String,
    /// How long the server wants us to wait.
    wait: Option<Duration>,
}

impl Exchange {
    /// Asks `url` until there is an answer other than 408, 429, 502, 503 and 504.
    pub(crate) async fn ask(&self, url: &Url, ask: Ask<'_>) -> Result<Reply, NoReply> {
        let mut wait = FIRST_WAIT;
        let mut retries = 0;
        loop {
            let setback = match timeout(self.timeout, self.attempt(url, ask)).await {
                Ok(Ok(reply)) => return Ok(Reply { retries, ..reply }),
                Ok(Err(setback)) => setback,
                Err(_) => Setback { reason: format!("no answer within {} s", self.timeout.as_secs_f64()), wait: None },
            };
            if retries == self.retries {
                return Err(NoReply { attempts: retries + 1, reason: setback.reason });
            }
            sleep(setback.wait.unwrap_or(wait).min(LONGEST_WAIT)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            retries += 1;
        }
    }

    async fn attempt(&self, url: &Url, ask: Ask<'_>) -> Result<Reply, Setback> {
        let again = |error: reqwest::Error| Setback { reason: chain(&error.without_url()), wait: None };
        let request = match ask {
            Ask::Get => self.http.get(url.clone()),
            Ask::Post(body) => self.http.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body.to_vec()),
        };
        let begin = Instant::now();
        let response = request.send().await.map_err(again)?;
        let status = response.status();
        let wait = retry_after(response.headers());
        let body = read(response).await?;
        let time = begin.elapsed();
        match status.as_u16() {
            408 | 429 | 502..=504 => {
                let complaint = crate::wire::complaint(&body);
                Err(Setback { reason: format!("{status}: {complaint}").trim_end_matches([':', ' ']).to_owned(), wait })
            }
            _ => Ok(Reply { status, body, time, retries: 0 }),
        }
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Setback> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > ANSWER_LIMIT => {
                return Err(Setback { reason: format!("the answer is longer than {ANSWER_LIMIT} bytes"), wait: None });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(Setback { reason: chain(&error.without_url()), wait: None }),
        }
    }
}

/// `Retry-After` in seconds; a date there counts as nothing.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
