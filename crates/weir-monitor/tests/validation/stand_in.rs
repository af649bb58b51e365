//! A predictor that answers as a test says, over HTTP/1.1 with connections that stay open.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// Method and path.
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_prediction(&self) -> bool {
        self.line.ends_with(":predict") || self.line.ends_with("/infer")
    }
}

/// What goes back.
pub(crate) enum Reply {
    Json(u16, Value),
    /// 503 with Retry-After in seconds.
    Busy(u32),
    Text(u16, &'static str),
    /// An answer after a while.
    Slow(Duration, Value),
    /// The connection ends without an answer.
    Close,
}

type Behaviour = dyn Fn(&Heard, usize) -> Reply + Send + Sync;

/// A running predictor; its threads end with the process.
pub(crate) struct StandIn {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl StandIn {
    /// Answers to each request, given the number of those for predictions before it.
    pub(crate) fn start(behaviour: impl Fn(&Heard, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let behaviour: Arc<Behaviour> = Arc::new(behaviour);
        let all = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (behaviour, all) = (Arc::clone(&behaviour), Arc::clone(&all));
                thread::spawn(move || serve(&stream, &*behaviour, &all));
            }
        });
        Self { url, heard }
    }

    /// A predictor that knows its model "detector" in both protocols and calls flows of more than 1,000 bytes malicious.
    pub(crate) fn honest() -> Self {
        Self::start(|heard, _| honest(heard))
    }

    /// The requests for predictions, in the order in which they came.
    pub(crate) fn predictions(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().iter().filter(|heard| heard.is_prediction()).cloned().collect()
    }
}

/// What [`StandIn::honest`] answers.
pub(crate) fn honest(heard: &Heard) -> Reply {
    match heard.line.as_str() {
        "GET /v1/models" => Reply::Json(200, json!({"models": ["detector"]})),
        "GET /v1/models/detector" => Reply::Json(200, json!({"name": "detector", "ready": true})),
        "GET /v2/models/detector" => Reply::Json(200, json!({"name": "detector", "versions": ["1", "7"]})),
        "POST /v1/models/detector:predict" => {
            let classes: Vec<u8> = heard.body["instances"].as_array().unwrap().iter().map(class).collect();
            Reply::Json(200, json!({"predictions": classes}))
        }
        "POST /v2/models/detector/infer" => {
            let input = &heard.body["inputs"][0];
            let data = input["data"].as_array().unwrap();
            let classes: Vec<u8> = match input["datatype"].as_str().unwrap() {
                "BYTES" => {
                    data.iter().map(|text| class(&serde_json::from_str(text.as_str().unwrap()).unwrap())).collect()
                }
                _ => data.chunks(2).map(|features| class(&json!(features))).collect(),
            };
            let label = json!({"name": "label", "datatype": "INT64", "shape": [classes.len()], "data": classes});
            let score = json!({"name": "score", "datatype": "FP64", "shape": [classes.len()], "data": classes});
            Reply::Json(200, json!({"model_name": "detector", "outputs": [score, label]}))
        }
        _ => Reply::Json(404, json!({"error": format!("there is no {}", heard.line)})),
    }
}

/// Of a flow, or of its features `[bytes, port]`.
fn class(instance: &Value) -> u8 {
    let bytes = instance.get("bytes").or_else(|| instance.get(0)).unwrap();
    u8::from(bytes.as_f64().unwrap() > 1_000.0)
}

fn serve(stream: &TcpStream, behaviour: &Behaviour, all: &Mutex<Vec<Heard>>) {
    let mut reader = BufReader::new(stream);
    while let Some(heard) = hear(&mut reader) {
        let number = {
            let mut all = all.lock().unwrap();
            let number = all.iter().filter(|heard| heard.is_prediction()).count();
            all.push(heard.clone());
            number
        };
        let (status, header, body) = match behaviour(&heard, number) {
            Reply::Json(status, value) => (status, String::new(), value.to_string()),
            Reply::Busy(seconds) => {
                (503, format!("Retry-After: {seconds}\r\n"), json!({"error": "too many requests"}).to_string())
            }
            Reply::Text(status, text) => (status, String::new(), text.to_owned()),
            Reply::Slow(wait, value) => {
                thread::sleep(wait);
                (200, String::new(), value.to_string())
            }
            Reply::Close => return,
        };
        let head = format!("HTTP/1.1 {status} X\r\n{header}Content-Length: {}\r\n\r\n", body.len());
        // A client that has gone away is its own business.
        if (&*stream).write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

fn hear(reader: &mut BufReader<&TcpStream>) -> Option<Heard> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&read| read > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((key, value)) = header.trim_end().split_once(": ") else { break };
        headers.push((key.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(key, _)| key == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Some(Heard { line: line.trim_end().trim_end_matches(" HTTP/1.1").to_owned(), headers, body })
}
