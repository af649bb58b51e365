//! A webhook that hands on what it gets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;

pub(crate) struct Sink {
    port: u16,
    calls: Receiver<Value>,
}

impl Sink {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, calls) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(call) = answer(&mut stream.unwrap()) else { continue };
                if sender.send(call).is_err() {
                    return;
                }
            }
        });
        Self { port, calls }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// The next call, which a run that is over or goes on makes.
    pub(crate) fn next(&self) -> Value {
        self.calls.recv_timeout(Duration::from_secs(30)).expect("a call")
    }

    /// What was called and not asked for yet.
    pub(crate) fn rest(&self) -> Vec<Value> {
        self.calls.try_iter().collect()
    }
}

fn answer(stream: &mut TcpStream) -> std::io::Result<Value> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let call = serde_json::from_slice(&body)?;
    // Last: a run that got its answer has made its call.
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    Ok(call)
}
