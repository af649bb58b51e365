//! The HTTP client: what it trusts, how it finds hosts, where it lets itself be sent, how long it waits.

use std::error::Error;
use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Proxy, Url};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};
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
        Self::trusting(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }, settings)
    }

    fn trusting(roots: RootCertStore, settings: &Settings) -> Result<Self, FetchError> {
        let failed = |error: &dyn Error| FetchError::Client { reason: chain(error) };
        // Static glibc resolves no names; hickory does, but not `localhost` where there is no /etc/hosts.
        let localhost = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls(roots).map_err(|error| failed(&error))?)
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

fn tls(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let versions =
        ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions()?;
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

    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::atomic::AtomicBool;
    use std::thread::{self, JoinHandle};

    use rustls::pki_types::PrivatePkcs8KeyDer;
    use rustls::{ServerConfig, ServerConnection, StreamOwned};

    /// A TLS server at `localhost` for one request; its port and the roots by which it is known.
    fn secure_server(reply: &'static str) -> (u16, RootCertStore, JoinHandle<()>) {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(own.cert.der().clone()).unwrap();
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = Arc::new(config.with_single_cert(vec![own.cert.der().clone()], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
            let mut byte = [0];
            let mut head = Vec::new();
            // A client that does not trust us goes away.
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
                head.push(byte[0]);
            }
            let _ = stream.write_all(reply.as_bytes()).and_then(|()| stream.flush());
        });
        (port, roots, server)
    }

    fn get(client: &Client, port: u16) -> Result<String, String> {
        let (cancelled, mut ignore) = (AtomicBool::new(false), |_: crate::Event<'_>| ());
        let watcher = Watcher::new(&cancelled, &mut ignore);
        let url = format!("https://localhost:{port}/");
        let text = async { client.http.get(url).send().await?.text().await };
        client.wait(text, &watcher).ok().unwrap().map_err(|error| chain(&error))
    }

    const FILE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret";

    #[test]
    fn a_server_with_a_certificate_of_a_known_root_is_read() {
        let (port, roots, server) = secure_server(FILE);
        let client = Client::trusting(roots, &Settings::default()).unwrap();
        assert_eq!(get(&client, port).unwrap(), "secret");
        server.join().unwrap();
    }

    #[test]
    fn a_server_that_nobody_vouches_for_is_not() {
        let (port, _, server) = secure_server(FILE);
        let error = get(&Client::new(&Settings::default()).unwrap(), port).unwrap_err();
        assert!(error.contains("invalid peer certificate"), "{error}");
        server.join().unwrap();
    }

    #[test]
    fn a_secure_server_cannot_send_us_to_an_insecure_one() {
        let reply = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n";
        let (port, roots, server) = secure_server(reply);
        let error = get(&Client::trusting(roots, &Settings::default()).unwrap(), port).unwrap_err();
        assert!(error.ends_with("from https to http://127.0.0.1:1/x"), "{error}");
        server.join().unwrap();
    }

    #[test]
    fn a_redirect_may_become_secure_but_not_insecure() {
        let [plain, secure] = ["http://a.example/x", "https://a.example/x"].map(|url| Url::parse(url).unwrap());
        assert_eq!(refusal(std::slice::from_ref(&plain), &secure), None);
        assert_eq!(refusal(&[secure], &plain), Some("from https to http://a.example/x".to_owned()));
    }
}
