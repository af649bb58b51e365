//! The counts of the last while.

use weir_accesslog::{Counter, Settings, Window};

/// 2023-10-10 09:00:00 UTC.
const NINE: i64 = 1_696_928_400;

fn line(second: i64, path: &str) -> String {
    let (minute, second) = (second / 60, second % 60);
    format!(
        "192.0.2.7 - - [10/Oct/2023:{:02}:{:02}:{second:02} +0000] \"GET /{path} HTTP/1.1\" 200 1\n",
        9 + minute / 60,
        minute % 60
    )
}

#[test]
fn a_window_counts_as_a_counter_does_of_the_same_lines() {
    let lines: String = (0..600).map(|second| line(second, "a") + &line(second, "b") + &line(second, "a")).collect();
    let mut window = Window::new(&Settings::default(), 600);
    for part in lines.as_bytes().split_inclusive(|byte| *byte == b'\n').collect::<Vec<_>>().chunks(37) {
        window.add("log", &part.concat(), NINE + 600);
    }
    let mut counter = Counter::new(&Settings::default());
    counter.begin_source("log");
    counter.add(lines.as_bytes());
    assert_eq!(window.counts(NINE + 600), counter.finish());
}

#[test]
fn what_is_older_is_forgotten_and_what_is_of_another_time_is_not_counted() {
    let mut window = Window::new(&Settings::default(), 120);
    window.add("log", line(0, "a").as_bytes(), NINE);
    assert_eq!(window.counts(NINE).log.requests, 1);
    window.add("log", (line(170, "a") + &line(10, "late")).as_bytes(), NINE + 170);
    let counts = window.counts(NINE + 170);
    assert_eq!((counts.log.requests, counts.log.first), (3, Some(NINE)), "up to a slice more");
    assert_eq!(window.counts(NINE + 180).log.requests, 1);
    window.add("log", (line(3_600, "clock") + "garbage\n").as_bytes(), NINE + 180);
    let log = window.counts(NINE + 180).log;
    assert_eq!((log.requests, log.unreadable), (1, 1), "an hour ahead");
    assert_eq!(window.counts(NINE + 600).log.lines, 0);
}

#[test]
fn sources_that_take_turns_are_named_once() {
    let mut window = Window::new(&Settings::default(), 120);
    for second in 0..20 {
        window.add(if second % 2 == 0 { "a.log" } else { "b.log" }, line(second, "a").as_bytes(), NINE + 20);
    }
    assert_eq!(window.counts(NINE + 20).log.sources, ["a.log", "b.log"]);
}
