//! The HTTP client: what it trusts, how it finds hosts, where it lets itself be sent, how long it waits.

use std::error::Error;
use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Proxy, Url};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout};

use crate::watcher::TICK;
use crate::{FetchError, Retry, Watcher};

const REDIRECTS: usize = 10;

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
}

impl Default for Settings {
    fn default() -> Self {
        Self { connect: Duration::from_secs(30), stall: Duration::from_secs(60), retry: Retry::default(), proxy: None }
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
        let failed = |error: &dyn Error| FetchError::Client { reason: chain(error) };
        // Static glibc resolves no names; hickory does, but not `localhost` where there is no /etc/hosts.
        let localhost = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls().map_err(|error| failed(&error))?)
            .http1_only()
            .redirect(Policy::custom(|attempt| match refusal(attempt.previous(), attempt.url()) {
                Some(reason) => attempt.error(reason),
                None => attempt.follow(),
            }))
            // What arrives is what is digested, whatever other crates switch on.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .no_proxy()
            .resolve_to_addrs("localhost", &localhost)
            .connect_timeout(settings.connect);
        if let Some(url) = &settings.proxy {
            let proxy = Proxy::all(url).map_err(|error| FetchError::Url { url: url.clone(), reason: chain(&error) })?;
            http = http.proxy(proxy);
        }
        let http = http.build().map_err(|error| failed(&error))?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| failed(&error))?;
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

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

/// Why a redirect is not followed; `previous` holds what was asked for so far.
fn refusal(previous: &[Url], next: &Url) -> Option<String> {
    if previous.len() > REDIRECTS {
        return Some(format!("more than {REDIRECTS} redirects"));
    }
    if previous.contains(next) {
        return Some(format!("a loop over {next}"));
    }
    let secure = previous.last().is_some_and(|url| url.scheme() == "https");
    (secure && next.scheme() != "https").then(|| format!("from https to {next}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_may_become_secure_but_not_insecure() {
        let [plain, secure] = ["http://a.example/x", "https://a.example/x"].map(|url| Url::parse(url).unwrap());
        assert_eq!(refusal(std::slice::from_ref(&plain), &secure), None);
        assert_eq!(refusal(&[secure], &plain), Some("from https to http://a.example/x".to_owned()));
    }
}
