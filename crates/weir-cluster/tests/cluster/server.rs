//! An API server of a few lines: it answers what a test says, and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// What is answered.
pub(crate) enum Reply {
    Json(u16, Value),
    Text(u16, String),
    /// One after the other; then the stream ends in order.
    Stream(Vec<Piece>),
}

/// A piece of a stream.
pub(crate) enum Piece {
    Event(&'static str, Value),
    /// The connection breaks.
    Cut,
    /// Nothing more comes.
    Hold,
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// A server on loopback; it ends with the test.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
}

impl Server {
    pub(crate) fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(None, Arc::new(handler))
    }

    pub(crate) fn secure(config: ServerConfig, handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(Some(Arc::new(config)), Arc::new(handler))
    }

    fn with(tls: Option<Arc<ServerConfig>>, handler: Arc<Handler>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = if tls.is_some() { format!("https://localhost:{port}") } else { format!("http://127.0.0.1:{port}") };
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let server = Self { url, asked: Arc::clone(&asked), stop: Arc::clone(&stop) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (tls, handler, asked, stop) =
                    (tls.clone(), Arc::clone(&handler), Arc::clone(&asked), Arc::clone(&stop));
                let Ok(stream) = stream else { continue };
                thread::spawn(move || match tls {
                    None => serve(stream, &*handler, &asked, &stop),
                    Some(tls) => {
                        serve(StreamOwned::new(ServerConnection::new(tls).unwrap(), stream), &*handler, &asked, &stop)
                    }
                });
            }
        });
        server
    }

    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// The one request of this method whose path ends so.
    pub(crate) fn request(&self, method: &str, end: &str) -> Request {
        let asked = self.asked();
        let found = asked.iter().find(|request| request.method == method && request.path.ends_with(end));
        found.unwrap_or_else(|| panic!("nobody asked {method} ...{end}: {asked:#?}")).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.url.rsplit_once("//").unwrap().1.replace("localhost", "127.0.0.1"));
    }
}

/// A connection for one request. Whoever breaks it off has what was wanted.
fn serve(stream: impl Read + Write, handler: &Handler, asked: &Mutex<Vec<Request>>, stop: &AtomicBool) {
    let mut stream = BufReader::new(stream);
    let Some(request) = read(&mut stream) else { return };
    asked.lock().unwrap().push(request.clone());
    let reply = handler(&request);
    let _ = write(stream.get_mut(), reply, stop);
}

fn read(stream: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    Some(Request {
        method,
        path: path.to_owned(),
        query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

fn write(stream: &mut impl Write, reply: Reply, stop: &AtomicBool) -> std::io::Result<()> {
    let whole = |stream: &mut dyn Write, code: u16, kind: &str, body: &str| {
        let head = format!("HTTP/1.1 {code} Reply\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n", body.len());
        write!(stream, "{head}connection: close\r\n\r\n{body}")
    };
    match reply {
        Reply::Json(code, body) => whole(stream, code, "application/json", &body.to_string())?,
        Reply::Text(code, body) => whole(stream, code, "text/plain", &body)?,
        Reply::Stream(pieces) => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")?;
            for piece in pieces {
                let text = match piece {
                    Piece::Event(kind, object) => format!("{}\n", json!({"type": kind, "object": object})),
                    Piece::Cut => return stream.flush(),
                    Piece::Hold => {
                        stream.flush()?;
                        while !stop.load(Ordering::SeqCst) {
                            thread::sleep(Duration::from_millis(10));
                        }
                        return Ok(());
                    }
                };
                write!(stream, "{:x}\r\n{text}\r\n", text.len())?;
                stream.flush()?;
            }
            write!(stream, "0\r\n\r\n")?;
        }
    }
    stream.flush()
}

/// What Kubernetes says instead of an object.
pub(crate) fn refusal(code: u16, reason: &str, message: &str, details: Value) -> Reply {
    Reply::Json(
        code,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": reason, "details": details, "code": code}),
    )
}

pub(crate) fn forbidden(verb: &str, resource: &str, group: &str) -> Reply {
    let name = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
    let message = format!(
        "{name} is forbidden: User \"ada\" cannot {verb} resource \"{resource}\" in API group \"{group}\" in the namespace \"weir\""
    );
    refusal(403, "Forbidden", &message, json!({"group": group, "kind": resource}))
}

pub(crate) fn no_such_kind() -> Reply {
    Reply::Text(404, "404 page not found\n".to_owned())
}
