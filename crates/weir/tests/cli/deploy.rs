//! From a signed bundle to a validated predictor: `weir run --signing-key`, `weir serve --trust`, `weir validate`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use weir_testkit::TempRun;

use crate::{SMALL, flows, text, weir};

/// A pair of keys and the public half of another, made once: `openssl genpkey -algorithm ed25519`, `openssl pkey -pubout`.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINs2PQ9ShmeqrStTnZ6X6AiLR3zG1cQ52yXUMfP+cAv8
-----END PRIVATE KEY-----
";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEABj2XJVkMKYuXE3IvjHOFFCo9LST+bmdMYcvYdaUMLq0=
-----END PUBLIC KEY-----
";
const OTHER: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAM2HXAgY9mrF/bLsuM0Jb6TgOgUfB7KK3ogR7plqPROk=
-----END PUBLIC KEY-----
";

/// A predictor that is stopped when the test ends.
struct Predictor {
    child: Child,
    url: String,
}

impl Predictor {
    fn start(temp: &TempRun, args: &[&str]) -> Self {
        let file = temp.join("port");
        let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(["serve", "--port", "0", "--port-file", text(&file), "--quiet"])
            .args(args)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let patience = Instant::now();
        let port = loop {
            if let Some(port) = fs::read_to_string(&file).ok().and_then(|port| port.trim_end().parse::<u16>().ok()) {
                break port;
            }
            assert!(child.try_wait().unwrap().is_none() && patience.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(5));
        };
        while !is_ready(port) {
            assert!(child.try_wait().unwrap().is_none() && patience.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }
}

/// Whether the predictor at this port has loaded its bundle.
fn is_ready(port: u16) -> bool {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"GET /v2/health/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.starts_with("HTTP/1.1 200")
}

impl Drop for Predictor {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_signed_bundle_is_served_to_those_who_trust_the_key_and_validated_by_rows_nobody_has_seen() {
    let temp = TempRun::new();
    let (key, public, other) =
        (temp.write("key.pem", KEY), temp.write("public.pem", PUBLIC), temp.write("other.pem", OTHER));
    let (data, out) = (flows(&temp, 3_000), temp.join("run"));
    let args = ["run", "--data", text(&data), "--out", text(&out), "--models", "decision-tree,svc"];
    weir(args.into_iter().chain(["--representations", "baseline", "--signing-key", text(&key)]).chain(SMALL)).ok();
    let (bundle, features) = (out.join("package/bundle"), out.join("features"));

    let refused = weir(["serve", "--bundle", text(&bundle), "--trust", text(&other), "--port", "0"]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    let refused = weir(["predict", "--bundle", text(&bundle), "--trust", text(&other), text(&data)]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(3), ""), "{}", refused.stderr);

    let predictor = Predictor::start(&temp, &["--bundle", text(&bundle), "--trust", text(&public)]);
    let validate = |rest: &[&str], report: &Path| {
        let args = ["validate", "--endpoint", &predictor.url, "--features", text(&features), "--out", text(report)];
        weir(args.into_iter().chain(rest.iter().copied()))
    };
    let report = temp.join("flows.json");
    validate(&["--minimum-accuracy", "0.5"], &report).ok();
    let by_flows = json(&report);
    let rows = by_flows["rows"]["sent"].as_u64().unwrap();
    assert!(rows > 50 && by_flows["rows"]["answered"].as_u64() == Some(rows), "{by_flows}");
    let manifest = json(&features.join("manifest.json"));
    assert_eq!(manifest["rows"]["validation"].as_u64(), Some(rows), "every validation row once");

    let report = temp.join("features.json");
    validate(&["--protocol", "v2", "--send", "features", "--batch", "32"], &report).ok();
    assert_eq!(json(&report)["confusion"], by_flows["confusion"]);

    let report = temp.join("strict.json");
    let strict = validate(&["--minimum-accuracy", "1"], &report);
    let right = by_flows["accuracy"]["part"] == by_flows["accuracy"]["whole"];
    assert_eq!(strict.code, Some(if right { 0 } else { 4 }), "{}", strict.stderr);
    assert!(report.exists(), "who is told no can read why");
}
