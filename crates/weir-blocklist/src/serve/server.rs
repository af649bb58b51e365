//! The socket. Few and short connections come here: one thread serves all.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};
use axum::http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, yield_now};
use tokio::time::{sleep, timeout};
use weir_stage::Stage;

use super::api::{Api, Question};

/// How long a connection that has shown a key may be silent, between requests or within the head of one.
const SILENCE: Duration = Duration::from_secs(75);
/// Longest head of a request, bytes.
const HEAD: usize = 16 << 10;
/// How long a signal may go unheard.
const PAUSE: Duration = Duration::from_millis(50);
/// How long answers on their way get, when asked to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// So many at once. Beyond, the oldest that has shown no key makes room; where all have, more wait to be accepted.
    pub(super) connections: usize,
    /// How long one may take to show a key.
    pub(super) stranger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 256, stranger: Duration::from_secs(5) }
    }
}

/// Serves until the process is asked to stop.
pub(super) async fn serve(listener: StdListener, api: Arc<Api>, limits: Limits, stage: &Stage) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let graceful = GracefulShutdown::new();
    let mut strangers = Strangers::default();
    while !stage.is_cancelled() {
        if let Some(trouble) = api.trouble() {
            stage.warn(format!("{trouble}; the list before goes on being served"));
        }
        strangers.forget();
        let is_full = graceful.count() >= limits.connections;
        if is_full && strangers.0.is_empty() {
            sleep(PAUSE).await;
            continue;
        }
        let stream = match timeout(PAUSE, listener.accept()).await {
            Err(_) => continue,
            Ok(Ok((stream, _))) => stream,
            // Out of file descriptors, most likely; they come back.
            Ok(Err(_)) => {
                sleep(PAUSE).await;
                continue;
            }
        };
        if is_full {
            strangers.drop_oldest();
        }
        let (api, known) = (Arc::clone(&api), Arc::new(AtomicBool::new(false)));
        let shown = Arc::clone(&known);
        let service = service_fn(move |request: Request<Incoming>| {
            let response = respond(&api, &request, &shown);
            async move { Ok::<_, Infallible>(response) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(SILENCE)
            .max_buf_size(HEAD)
            .serve_connection(TokioIo::new(stream), service);
        // Connections end in all sorts of ways; what matters was answered.
        let connection = graceful.watch(connection);
        let is_known = Arc::clone(&known);
        let task = tokio::spawn(async move {
            let mut connection = pin!(connection);
            if timeout(limits.stranger, &mut connection).await.is_err() && is_known.load(Relaxed) {
                let _ = connection.await;
            }
        });
        strangers.0.push_back((known, task.abort_handle()));
        // What has arrived already is read before anybody else is accepted.
        yield_now().await;
    }
    let _ = timeout(DRAIN, graceful.shutdown()).await;
    Ok(())
}

/// Connections that have shown no key, the oldest first, and some that ended or have shown one by now.
#[derive(Default)]
struct Strangers(VecDeque<(Arc<AtomicBool>, AbortHandle)>);

impl Strangers {
    /// Forgets the first that ended or have shown a key: none but the last few seconds' are left after that.
    fn forget(&mut self) {
        while self.0.front().is_some_and(|(known, task)| known.load(Relaxed) || task.is_finished()) {
            self.0.pop_front();
        }
    }

    fn drop_oldest(&mut self) {
        self.forget();
        if let Some((_, task)) = self.0.pop_front() {
            task.abort();
        }
    }
}

/// Listens on `address`.
pub(super) fn listen(address: SocketAddr) -> std::io::Result<StdListener> {
    StdListener::bind(address)
}

/// Answers `request`. Who has shown no key is answered once, and the connection closed.
fn respond<B>(api: &Api, request: &Request<B>, known: &AtomicBool) -> Response<Body> {
    let key = request.headers().get("x-api-key").and_then(|key| key.to_str().ok());
    let (method, uri) = (request.method(), request.uri());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let question = Question { method, path: uri.path(), query: uri.query().unwrap_or_default(), key, now };
    let (status, value) = api.answer(&question);
    let body = if method == Method::HEAD { Body::empty() } else { Body::from(value.to_string()) };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    known.fetch_or(api.knows(key), Relaxed);
    if !known.load(Relaxed) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::super::keys::tests::keys;
    use super::super::source::Source;
    use crate::allow::AllowList;

    /// Stops the server, however the test ends.
    struct Stop<'a>(&'a Stage);

    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.cancelled().store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }

    /// The whole answer to `head`, which asks for the connection to be closed.
    fn ask(address: SocketAddr, head: &str) -> String {
        let mut stream = connect(address);
        stream.write_all(format!("{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    const KEY: &str = "X-Api-Key: 0123456789abcdef";

    /// Serves within `limits` while `client` is at work.
    fn serving(limits: Limits, client: impl FnOnce(SocketAddr) + Send) {
        let dir = tempfile::tempdir().unwrap();
        let source = Source::open(dir.path().to_owned(), AllowList::default()).unwrap();
        let api = Arc::new(Api::new(keys("firewall:0123456789abcdef").unwrap(), source));
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let stage = Stage::silent();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _stop = Stop(&stage);
                client(address);
            });
            runtime.block_on(serve(listener, api, limits, &stage)).unwrap();
        });
    }

    /// A connection whose other end has to say something within a minute.
    fn connect(address: SocketAddr) -> TcpStream {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    #[test]
    fn it_answers_over_a_socket_and_ends_when_asked_to() {
        serving(Limits::default(), |address| {
            let get = "GET /v1/decisions/stream?startup=true HTTP/1.1";
            let answer = ask(address, &format!("{get}\r\n{KEY}"));
            assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("application/json"), "{answer}");
            assert!(answer.ends_with("{\"deleted\":[],\"new\":[]}"), "{answer}");
            assert!(ask(address, get).starts_with("HTTP/1.1 403 Forbidden"));
            let head = ask(address, "HEAD /health HTTP/1.1");
            assert!(head.starts_with("HTTP/1.1 200 OK") && head.ends_with("\r\n\r\n"), "{head}");
        });
    }

    #[test]
    fn silent_connections_shut_nobody_out() {
        let limits = Limits { connections: 2, stranger: Duration::from_secs(3_600) };
        serving(limits, |address| {
            let _silent = [connect(address), connect(address), connect(address)];
            let mut dripping = connect(address);
            dripping.write_all(b"GET /health HTTP/1.1\r\nHost: loc").unwrap();
            let answer = ask(address, &format!("GET /v1/decisions HTTP/1.1\r\n{KEY}"));
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        });
    }

    #[test]
    fn a_connection_is_kept_for_whoever_shows_a_key_in_time() {
        let limits = Limits { stranger: Duration::from_secs(2), ..Limits::default() };
        serving(limits, |address| {
            let mut with_key = connect(address);
            let request = format!("GET /v1/decisions HTTP/1.1\r\nHost: localhost\r\n{KEY}\r\n\r\n");
            let mut answered = || {
                with_key.write_all(request.as_bytes()).unwrap();
                let mut answer = [0; 1024];
                let length = with_key.read(&mut answer).unwrap();
                assert!(answer[..length].starts_with(b"HTTP/1.1 200 OK"), "{length}");
            };
            answered();
            let mut silent = connect(address);
            let mut said = String::new();
            silent.read_to_string(&mut said).unwrap();
            assert_eq!(said, "", "it is closed");
            let mut without = connect(address);
            without.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            without.read_to_string(&mut said).unwrap();
            assert!(said.contains("\r\nconnection: close\r\n"), "{said}");
            answered();
        });
    }
}
