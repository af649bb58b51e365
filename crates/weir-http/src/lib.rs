//! The HTTP client of everything in Weir that is one: what it trusts, how it finds hosts, where it lets itself be sent.
//!
//! TLS is rustls with ring and the certificate authorities of Mozilla, or those of a file: nothing of the system is
//! needed, so that it works in an empty image as well.

use std::error::Error;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Proxy, Url};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

const REDIRECTS: usize = 10;

/// How a client connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Longest time to a connection.
    pub connect: Duration,
    /// Proxy for all requests, as in `http://proxy.example:3128`; none by default, whatever the environment says.
    pub proxy: Option<String>,
    /// Certificates of the authorities to trust, in PEM; those of Mozilla by default.
    pub authorities: Option<Vec<u8>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { connect: Duration::from_secs(30), proxy: None, authorities: None }
    }
}

/// Why there is no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// A proxy that is no URL.
    #[error("{url} is not a URL that can be used: {reason}")]
    Proxy {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Authorities that are no certificates.
    #[error("these are no certificates: {reason}")]
    Authorities {
        /// What is wrong with them.
        reason: String,
    },
    /// The client cannot be set up.
    #[error("failed to set up the HTTP client: {reason}")]
    Client {
        /// What is wrong.
        reason: String,
    },
}

/// A client as `settings` say. It follows at most 10 redirects, none of them from https to http.
///
/// # Errors
/// [`HttpError`] for a proxy or authorities that cannot be used.
pub fn client(settings: &Settings) -> Result<Client, HttpError> {
    builder(settings)?.build().map_err(|error| HttpError::Client { reason: chain(&error) })
}

/// As [`client`], to be configured further.
///
/// # Errors
/// As [`client`].
pub fn builder(settings: &Settings) -> Result<ClientBuilder, HttpError> {
    // Static glibc resolves no names; hickory does, but not `localhost` where there is no /etc/hosts.
    let localhost = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
    let builder = Client::builder()
        .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls(settings.authorities.as_deref())?)
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
    let Some(url) = &settings.proxy else { return Ok(builder) };
    let proxy = Proxy::all(url).map_err(|error| HttpError::Proxy { url: url.clone(), reason: chain(&error) })?;
    Ok(builder.proxy(proxy))
}

/// TLS that trusts the given authorities, in PEM, or those of Mozilla.
///
/// # Errors
/// [`HttpError::Authorities`] for a text without certificates.
pub fn tls(authorities: Option<&[u8]>) -> Result<ClientConfig, HttpError> {
    let mut roots = RootCertStore::empty();
    match authorities {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(pem) => {
            let bad = |reason: String| HttpError::Authorities { reason };
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| bad(error.to_string()))?;
                roots.add(certificate).map_err(|error| bad(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(bad("there is no BEGIN CERTIFICATE in the text".to_owned()));
            }
        }
    }
    let versions = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::Client { reason: error.to_string() })?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

/// An error with its causes, in one line.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
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
    use std::thread::{self, JoinHandle};

    use rustls::pki_types::PrivatePkcs8KeyDer;
    use rustls::{ServerConfig, ServerConnection, StreamOwned};

    /// A TLS server at `localhost` for one request; its port and its certificate in PEM.
    fn secure_server(reply: &'static str) -> (u16, Vec<u8>, JoinHandle<()>) {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
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
        (port, own.cert.pem().into_bytes(), server)
    }

    fn get(authorities: Option<Vec<u8>>, port: u16) -> Result<String, String> {
        let client = client(&Settings { authorities, ..Settings::default() }).unwrap();
        let url = format!("https://localhost:{port}/");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { client.get(url).send().await?.text().await }).map_err(|error| chain(&error))
    }

    const FILE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret";

    #[test]
    fn a_server_with_a_certificate_of_a_known_root_is_read() {
        let (port, certificate, server) = secure_server(FILE);
        assert_eq!(get(Some(certificate), port).unwrap(), "secret");
        server.join().unwrap();
    }

    #[test]
    fn a_server_that_nobody_vouches_for_is_not() {
        let (port, _, server) = secure_server(FILE);
        let error = get(None, port).unwrap_err();
        assert!(error.contains("invalid peer certificate"), "{error}");
        server.join().unwrap();
    }

    #[test]
    fn a_secure_server_cannot_send_us_to_an_insecure_one() {
        let reply = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n";
        let (port, certificate, server) = secure_server(reply);
        let error = get(Some(certificate), port).unwrap_err();
        assert!(error.ends_with("from https to http://127.0.0.1:1/x"), "{error}");
        server.join().unwrap();
    }

    #[test]
    fn a_redirect_may_become_secure_but_not_insecure() {
        let [plain, secure] = ["http://a.example/x", "https://a.example/x"].map(|url| Url::parse(url).unwrap());
        assert_eq!(refusal(std::slice::from_ref(&plain), &secure), None);
        assert_eq!(refusal(&[secure], &plain), Some("from https to http://a.example/x".to_owned()));
    }

    #[test]
    fn a_proxy_and_authorities_that_are_none_are_refused() {
        let proxy = Settings { proxy: Some("not a url".to_owned()), ..Settings::default() };
        assert!(matches!(client(&proxy), Err(HttpError::Proxy { .. })));
        let authorities = Settings { authorities: Some(b"no PEM".to_vec()), ..Settings::default() };
        assert!(matches!(client(&authorities), Err(HttpError::Authorities { .. })));
    }
}
