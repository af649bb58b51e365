//! What needs a socket: connections, drain, limits of connections.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use weir_serving::{App, Server, Settings};

use crate::fixture::{PREDICT, Served, served_with};

const BODY: &str = r#"{"instances":[[1,2,3]]}"#;
/// How long is waited for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Without a last call: nobody is late here.
fn settings() -> Settings {
    Settings { last_call: Duration::ZERO, ..Settings::default() }
}

fn start(settings: Settings) -> (Served, Server) {
    let served = served_with(Settings { port: 0, ..settings });
    let server = Server::start(App::new(Arc::clone(served.app.predictor()), None)).unwrap();
    (served, server)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn head(length: usize) -> String {
    format!("POST {PREDICT} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n")
}

/// A request whose head has been read and whose body is waited for.
fn begun(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address);
    let head = head(BODY.len()).replace("host: x", "host: x\r\nexpect: 100-continue");
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(answer(&mut stream), "HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// One answer as text: its head and as much body as its head says.
fn answer(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let shown = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = shown.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return shown;
            }
        }
        match stream.read(&mut buffer) {
            Ok(read) if read > 0 => text.extend_from_slice(&buffer[..read]),
            _ => return shown,
        }
    }
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let (_served, server) = start(Settings { workers: 2, ..settings() });
    let mut stream = connect(server.address());
    for _ in 0..3 {
        // Head and body apart.
        stream.write_all(head(BODY.len()).as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(5));
        stream.write_all(BODY.as_bytes()).unwrap();
        assert!(answer(&mut stream).contains(r#"{"predictions":["#));
    }
    drop(stream);
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_request_in_flight_is_answered_when_the_predictor_is_asked_to_stop() {
    // An address of its own: no other test listens there once this predictor does not.
    let host = IpAddr::from([127, 0, 0, 2]);
    let (drain, last_call) = (PATIENCE, Duration::from_secs(5));
    let (served, server) = start(Settings { host, drain, last_call, ..settings() });
    let address = server.address();
    let mut in_flight = begun(address);
    in_flight.write_all(&BODY.as_bytes()[..5]).unwrap();
    let mut kept_alive = connect(address);
    kept_alive.write_all((head(BODY.len()) + BODY).as_bytes()).unwrap();
    assert!(answer(&mut kept_alive).starts_with("HTTP/1.1 200"));

    let stopping = thread::spawn(move || server.stop());
    while !served.app.predictor().is_draining() {
        thread::sleep(Duration::from_millis(1));
    }
    assert!(!served.app.predictor().is_ready());
    // Not told yet, and answered all the same.
    kept_alive.write_all((head(BODY.len()) + BODY).as_bytes()).unwrap();
    let last = answer(&mut kept_alive);
    assert!(last.starts_with("HTTP/1.1 200") && last.contains("connection: close"), "{last}");

    // Nobody else is taken after the last call; this one is waited for.
    let patience = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(patience.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(50));
    }
    in_flight.write_all(&BODY.as_bytes()[5..]).unwrap();
    let late = answer(&mut in_flight);
    assert!(late.starts_with("HTTP/1.1 200") && late.contains("connection: close"), "{late}");
    assert_eq!(stopping.join().unwrap(), 0);
}

#[test]
fn what_does_not_end_in_time_is_cut_off_and_counted() {
    let (_served, server) = start(Settings { drain: Duration::from_millis(50), ..settings() });
    let mut stuck = begun(server.address());
    assert_eq!(server.stop(), 1);
    assert_eq!(answer(&mut stuck), "", "it hears nothing more");
}

#[test]
fn connections_beyond_the_limit_hear_that_the_predictor_is_busy_and_health_is_answered() {
    let (_served, server) = start(Settings { max_connections: 1, ..settings() });
    let mut first = connect(server.address());
    first.write_all((head(BODY.len()) + BODY).as_bytes()).unwrap();
    assert!(answer(&mut first).starts_with("HTTP/1.1 200"));
    let mut second = connect(server.address());
    second.write_all((head(BODY.len()) + BODY).as_bytes()).unwrap();
    let busy = answer(&mut second);
    assert!(busy.starts_with("HTTP/1.1 503") && busy.contains("retry-after: 1"), "{busy}");
    let mut third = connect(server.address());
    third.write_all(b"GET /v2/health/ready HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert!(answer(&mut third).starts_with("HTTP/1.1 200"));
    drop((second, third));

    // Once the first is gone there is room again.
    drop(first);
    let patience = Instant::now();
    loop {
        let mut next = connect(server.address());
        next.write_all((head(BODY.len()) + BODY).as_bytes()).unwrap();
        if answer(&mut next).starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(patience.elapsed() < PATIENCE);
    }
    server.stop();
}

#[test]
fn broken_http_is_refused_and_the_next_connection_served() {
    let (_served, server) = start(settings());
    for broken in [
        "nonsense\r\n\r\n".to_owned(),
        format!("POST {PREDICT} HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n"),
        format!("POST {PREDICT} HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n12345"),
        format!("POST {PREDICT} HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(100_000)),
        format!("POST {PREDICT} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n"),
    ] {
        let mut stream = connect(server.address());
        // The server may close before all is written.
        let _ = stream.write_all(broken.as_bytes());
        let text = answer(&mut stream);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
        let mut next = connect(server.address());
        next.write_all((head(BODY.len()) + BODY).as_bytes()).unwrap();
        assert!(answer(&mut next).starts_with("HTTP/1.1 200"));
    }
    // A body that breaks off has nobody left to answer.
    let mut stream = connect(server.address());
    stream.write_all((head(100) + BODY).as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let text = answer(&mut stream);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
    server.stop();
}

#[test]
fn a_client_that_does_not_take_its_answers_is_given_up() {
    let (served, server) = start(Settings { request_timeout: Duration::from_millis(100), ..settings() });
    let rows = vec![[0.123_456_789, 0.1, 443.0]; 10_000];
    let body = serde_json::json!({"instances": rows, "parameters": {"probabilities": true}}).to_string();
    let request = head(body.len()) + &body;
    let mut stream = connect(server.address());
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    // Answers fill the buffers of both sides; then the connection is closed, and writing fails.
    let closed = (0..1_000).any(|_| stream.write_all(request.as_bytes()).is_err());
    assert!(closed);
    let patience = Instant::now();
    let open = || !String::from_utf8(served.get("/metrics").body).unwrap().contains("weir_connections 0\n");
    while open() {
        assert!(patience.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(5));
    }
    server.stop();
}
