//! `run` as a program: who is told of what, through a webhook on loopback.

mod followed;
mod once;
mod sink;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sink::Sink;

/// `run` with its state in `dir`, no enforcer, and a webhook.
fn command(dir: &Path, sink: &Sink) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir-blocklist"));
    let state = dir.join("state");
    command.args(["run", "--enforcer", "none", "--state", state.to_str().unwrap()]);
    command.args(["--set", &format!("notice.webhook.url={}", sink.url())]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Lines of the common format, some seconds ago: client, how many of them ask for the same, how many for pages of their own.
fn log(clients: &[(&str, u32, u32)]) -> String {
    log_at(SystemTime::now() - Duration::from_secs(30), clients)
}

fn log_at(time: SystemTime, clients: &[(&str, u32, u32)]) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap().as_secs() / 10 * 10;
    // As in 2026-11-21 08:00:00 UTC.
    let moment = weir_report::moment(i64::try_from(seconds).unwrap() * 1000);
    let [year, month, day, clock] = [0..4, 5..7, 8..10, 11..19].map(|part| &moment[part]);
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        [month.parse::<usize>().unwrap() - 1];
    let line = |client: &str, path: &str| {
        format!("{client} - - [{day}/{month}/{year}:{clock} +0000] \"GET {path} HTTP/1.1\" 200 512\n")
    };
    let mut text = String::new();
    for (client, same, pages) in clients {
        text.extend((0..*same).map(|_| line(client, "/")));
        text.extend((0..*pages).map(|n| line(client, &format!("/{n}"))));
    }
    text
}

/// A flood by each of these, among visitors.
fn flood(by: &[&str]) -> String {
    flood_at(SystemTime::now() - Duration::from_secs(30), by)
}

fn flood_at(time: SystemTime, by: &[&str]) -> String {
    let visitors: Vec<String> = (1..=40).map(|n| format!("192.0.2.{n}")).collect();
    let visitors = visitors.iter().map(|visitor| (visitor.as_str(), 1, 9));
    let clients: Vec<_> = visitors.chain(by.iter().map(|client| (*client, 150, 0))).collect();
    log_at(time, &clients)
}

/// One client alone, such as one's own proxy: a cap spares it.
fn proxy(client: &str) -> String {
    log(&[(client, 100, 50)])
}
