//! An HTTP/1.1 server that answers as a test says, one request per connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A request's head.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    head: String,
}

impl Request {
    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    /// The first byte asked for.
    fn first(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// What goes back: a head, bytes, and then the end of the connection or silence.
pub(crate) struct Reply {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    stall: bool,
    /// Pause between pieces of the body.
    drip: Option<(usize, Duration)>,
}

impl Reply {
    pub(crate) fn new(status: &'static str) -> Self {
        let headers = vec![("Connection", "close".to_owned())];
        Self { status, headers, body: Vec::new(), stall: false, drip: None }
    }

    /// The whole file.
    pub(crate) fn whole(file: &[u8], etag: &str) -> Self {
        Self::new("200 OK").with("ETag", etag).with("Content-Length", file.len()).body(file)
    }

    /// What RFC 9110 says: the rest if it is asked for and still the same file, else all of it.
    pub(crate) fn correct(request: &Request, file: &[u8], etag: &str) -> Self {
        match request.first() {
            Some(first) if request.header("if-range") == Some(etag) => Self::rest(file, first, etag),
            _ => Self::whole(file, etag),
        }
    }

    pub(crate) fn rest(file: &[u8], first: usize, etag: &str) -> Self {
        if first >= file.len() {
            return Self::new("416 Range Not Satisfiable").with("Content-Length", 0);
        }
        let range = format!("bytes {first}-{}/{}", file.len() - 1, file.len());
        let reply = Self::new("206 Partial Content").with("ETag", etag).with("Content-Range", range);
        reply.with("Content-Length", file.len() - first).body(&file[first..])
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| *key != name);
        self
    }

    pub(crate) fn body(self, body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..self }
    }

    /// Breaks off after this many bytes of the body.
    pub(crate) fn cut(mut self, bytes: usize) -> Self {
        self.body.truncate(bytes);
        self
    }

    /// Says nothing more, and does not hang up.
    pub(crate) fn stall(self) -> Self {
        Self { stall: true, ..self }
    }

    /// Sends the body in pieces with pauses.
    pub(crate) fn drip(self, piece: usize, pause: Duration) -> Self {
        Self { drip: Some((piece, pause)), ..self }
    }

    /// The body in chunks, without a length.
    pub(crate) fn chunked(self) -> Self {
        let mut body = format!("{:x}\r\n", self.body.len()).into_bytes();
        body.extend(&self.body);
        body.extend(b"\r\n0\r\n\r\n");
        self.without("Content-Length").with("Transfer-Encoding", "chunked").body(&body)
    }
}

/// Runs until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers request `number` (from 0) with what `answer` says.
    pub(crate) fn start(answer: impl Fn(&Request, usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, stop) = (Arc::<Mutex<Vec<Request>>>::default(), Arc::<AtomicBool>::default());
        let (seen, stopped) = (Arc::clone(&requests), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.unwrap();
                let Some(request) = read(&mut stream) else { continue };
                let number = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(request.clone());
                    seen.len() - 1
                };
                let reply = answer(&request, number);
                // A client that hangs up has its reasons.
                let _ = write(&mut stream, &reply);
                while reply.stall && !stopped.load(Ordering::SeqCst) && !hung_up(&mut stream) {}
            }
        });
        Self { address, requests, stop, thread: Some(thread) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let ended = self.thread.take().unwrap().join();
        if !thread::panicking() {
            ended.unwrap();
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    Some(Request { head: String::from_utf8(head).unwrap() })
}

fn write(stream: &mut TcpStream, reply: &Reply) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {}\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    let Some((piece, pause)) = reply.drip else { return stream.write_all(&reply.body) };
    for piece in reply.body.chunks(piece) {
        stream.write_all(piece)?;
        thread::sleep(pause);
    }
    Ok(())
}

fn hung_up(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    matches!(stream.read(&mut [0]), Ok(0))
}
