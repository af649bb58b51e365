//! The socket. Few and short connections come here: one thread serves all.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use weir_stage::Stage;

use super::api::{Api, Question};

/// Connections at once; more wait to be accepted.
const CONNECTIONS: usize = 256;
/// How long a connection may be silent, between requests or within the head of one.
const SILENCE: Duration = Duration::from_secs(75);
/// Longest head of a request, bytes.
const HEAD: usize = 16 << 10;
/// How long a signal may go unheard.
const PAUSE: Duration = Duration::from_millis(50);
/// How long answers on their way get, when asked to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until the process is asked to stop.
pub(super) async fn serve(listener: StdListener, api: Arc<Api>, stage: &Stage) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let graceful = GracefulShutdown::new();
    while !stage.is_cancelled() {
        if let Some(trouble) = api.trouble() {
            stage.warn(format!("{trouble}; the list before goes on being served"));
        }
        if graceful.count() >= CONNECTIONS {
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
        let api = Arc::clone(&api);
        let service = service_fn(move |request: Request<Incoming>| {
            let response = respond(&api, &request);
            async move { Ok::<_, Infallible>(response) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(SILENCE)
            .max_buf_size(HEAD)
            .serve_connection(TokioIo::new(stream), service);
        // Connections end in all sorts of ways; what matters was answered.
        tokio::spawn(graceful.watch(connection));
    }
    let _ = timeout(DRAIN, graceful.shutdown()).await;
    Ok(())
}

/// Listens on `address`.
pub(super) fn listen(address: SocketAddr) -> std::io::Result<StdListener> {
    StdListener::bind(address)
}

fn respond<B>(api: &Api, request: &Request<B>) -> Response<Body> {
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
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(format!("{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn it_answers_over_a_socket_and_ends_when_asked_to() {
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
                let get = "GET /v1/decisions/stream?startup=true HTTP/1.1";
                let answer = ask(address, &format!("{get}\r\nX-Api-Key: 0123456789abcdef"));
                assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("application/json"), "{answer}");
                assert!(answer.ends_with("{\"deleted\":[],\"new\":[]}"), "{answer}");
                assert!(ask(address, get).starts_with("HTTP/1.1 403 Forbidden"));
                let head = ask(address, "HEAD /health HTTP/1.1");
                assert!(head.starts_with("HTTP/1.1 200 OK") && head.ends_with("\r\n\r\n"), "{head}");
            });
            runtime.block_on(serve(listener, api, &stage)).unwrap();
        });
    }
}
