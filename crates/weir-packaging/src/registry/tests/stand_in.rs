//! A registry of a few lines, in a thread: as well-behaved as its owner wants.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::oci::Image;
use crate::registry::Reference;

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    pub(super) method: String,
    /// With the query.
    pub(super) path: String,
    pub(super) authorization: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path.starts_with(path)
    }
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What is kept: bodies by path.
#[derive(Debug, Clone, Default)]
pub(super) struct Store(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Store {
    /// A store that holds `image` under tag `v1` and by its digest.
    pub(super) fn of(image: &Image) -> Self {
        let store = Self::default();
        for blob in &image.blobs {
            store.put(&format!("/v2/team/detector/blobs/{}", blob.descriptor.digest), &blob.bytes);
        }
        for name in ["v1".to_owned(), image.manifest.descriptor.digest.to_string()] {
            store.put(&format!("/v2/team/detector/manifests/{name}"), &image.manifest.bytes);
        }
        store
    }

    pub(super) fn put(&self, path: &str, bytes: &[u8]) {
        self.0.lock().unwrap().insert(path.to_owned(), bytes.to_vec());
    }

    pub(super) fn get(&self, path: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(path).cloned()
    }

    /// What a registry answers that does all it should.
    pub(super) fn answer(&self, request: &Request) -> Reply {
        let uploads = "/v2/team/detector/blobs/uploads/";
        match request.method.as_str() {
            "POST" if request.path == uploads => {
                Reply::new(202, "").header("location", format!("{uploads}1?state=a%2Fb"))
            }
            "PUT" if request.path.starts_with(uploads) => {
                let digest = request.path.rsplit_once("?state=a%2Fb&digest=sha256%3A").expect("the state comes back").1;
                self.put(&format!("/v2/team/detector/blobs/sha256:{digest}"), &request.body);
                Reply::new(201, "")
            }
            "PUT" => {
                self.put(&request.path, &request.body);
                Reply::new(201, "")
            }
            _ => self.get(&request.path).map_or_else(|| Reply::new(404, ""), |bytes| Reply::new(200, bytes)),
        }
    }
}

/// The running server; stops when it goes out of scope.
pub(super) struct StandIn {
    port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl StandIn {
    /// Answers each request, with the requests before it, as `answer` says.
    pub(super) fn start(answer: impl Fn(&Request, &[Request]) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, stop) = (Arc::<Mutex<Vec<Request>>>::default(), Arc::<AtomicBool>::default());
        let (requests, stopped) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let mut stream = stream.unwrap();
                let Some(request) = read(&stream) else { continue };
                let mut requests = requests.lock().unwrap();
                let reply = answer(&request, &requests);
                write(&mut stream, &request, &reply);
                requests.push(request);
            }
        });
        Self { port, seen, stop, thread: Some(thread) }
    }

    pub(super) fn reference(&self, rest: &str) -> Reference {
        format!("127.0.0.1:{}/team/detector{rest}", self.port).parse().unwrap()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn count(&self, method: &str, path: &str) -> usize {
        self.seen().iter().filter(|request| request.is(method, path)).count()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        TcpStream::connect(("127.0.0.1", self.port)).ok();
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || matches!(ended, Some(Ok(()))), "the stand-in failed");
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let lines = lines.iter().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let mut words = lines[0].split(' ').map(str::to_owned);
    Some(Request { method: words.next()?, path: words.next()?, authorization: header("authorization"), body })
}

fn write(stream: &mut TcpStream, request: &Request, reply: &Reply) {
    let mut head =
        format!("HTTP/1.1 {} X\r\nconnection: close\r\ncontent-length: {}\r\n", reply.status, reply.body.len());
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let body: &[u8] = if request.method == "HEAD" { &[] } else { &reply.body };
    // A client that has seen enough goes away.
    let _ = stream.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| stream.write_all(body));
}
