//! The HTTP client, and how long it waits.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use reqwest::header::HeaderValue;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout};
use weir_http::HttpError;

use crate::watcher::TICK;
use crate::{FetchError, Retry, Watcher};

/// How the network is treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Longest time to a connection.
    pub connect: Duration,
    /// Longest time without a byte: before the answer and between its parts. There is no limit for the whole.
    pub stall: Duration,
    /// When a failed attempt is repeated.
    pub retry: Retry,
    /// Proxy for all requests, as in `http://proxy.example:3128`; none by default.
    pub proxy: Option<String>,
    /// Certificates of the authorities to trust, in PEM; those of Mozilla by default.
    pub authorities: Option<Vec<u8>>,
    /// What `Authorization` says, to the host of the URL and to no other that it redirects to; nothing by default. Mark it as
    /// sensitive.
    pub authorization: Option<HeaderValue>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            retry: Retry::default(),
            proxy: None,
            authorities: None,
            authorization: None,
        }
    }
}

/// Why a wait ended without what was waited for.
pub(crate) enum Waited {
    Stalled,
    Interrupted,
}

pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    runtime: Runtime,
    stall: Duration,
}

impl Client {
    pub(crate) fn new(settings: &Settings) -> Result<Self, FetchError> {
        let Settings { connect, proxy, authorities, .. } = settings;
        let http = weir_http::Settings { connect: *connect, proxy: proxy.clone(), authorities: authorities.clone() };
        let http = weir_http::client(&http).map_err(|error| match error {
            HttpError::Proxy { url, reason } => FetchError::Url { url, reason },
            other => FetchError::Client { reason: other.to_string() },
        })?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| FetchError::Client { reason: error.to_string() })?;
        Ok(Self { http, runtime, stall: settings.stall })
    }

    /// Waits for `work`, as long as the caller wants it and no longer than the limit for a stall.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>, watcher: &Watcher<'_>) -> Result<T, Waited> {
        self.runtime.block_on(async {
            let mut work = pin!(work);
            let deadline = Instant::now() + self.stall;
            loop {
                if let Ok(result) = timeout(TICK, work.as_mut()).await {
                    return Ok(result);
                }
                if watcher.check().is_err() {
                    return Err(Waited::Interrupted);
                }
                if Instant::now() >= deadline {
                    return Err(Waited::Stalled);
                }
            }
        })
    }
}
