//! Damaged lines: what is promised for any bytes, checked on mutations of lines of every format.

use std::io::Cursor;

use weir_accesslog::{ClientField, Counter, Counts, LogError, Settings, Source, count, parse_line};
use weir_testkit::Random;

/// Lines of every format.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let combined =
        r#"192.0.2.7 - - [10/Oct/2023:11:06:56 +0200] "GET /a/b?c=d HTTP/1.1" 200 125 "-" "Mozilla/5.0 (X11)""#;
    let mut lines = vec![
        combined.to_owned(),
        format!("{combined} \"198.51.100.4, 10.0.0.2\" 0.003"),
        format!("www.example.org:443 {combined}"),
        format!("\"{combined}\""),
        format!("\"{}\"", combined.replace('"', "\"\"")),
        format!("\"{}\"", combined.replace('"', "\\\"")),
    ];
    for line in [
        r#"10.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /x.gif HTTP/1.0" 404 2326"#,
        r#"10.0.0.1 - [10/Oct/2000:13:55:36 -0700] "POST / HTTP/2.0" 499 - "-" "-" "unknown""#,
        r#"[2001:db8::1]:443 - a user [29/Feb/2024:23:59:60 +0000] "\x16\x03\x01" 400 0 "" """#,
        r#"::ffff:192.0.2.9 - - [01/Jan/1970:00:00:00 +0000] "GET /\"quoted\\ HTTP/1.1" 000 1 "a\"b" "c\x22d""#,
        "[Thu Oct 13 12:24:49.880562 2022] [error] [client 192.0.2.7:50229] AH01618: not found",
        "2021/12/01 13:53:33 [error] 31#31: *46 not found, client: 172.17.0.1",
        "",
    ] {
        lines.push(line.to_owned());
    }
    lines.into_iter().map(String::into_bytes).collect()
}

/// Some lines, damaged.
pub(crate) fn mutated_log(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut log = Vec::new();
    for _ in 0..=random.below(12) {
        let (seed, other) = (&seeds[random.below(seeds.len())], &seeds[random.below(seeds.len())]);
        log.extend(mutate(seed, other, random));
        log.extend_from_slice([&b"\n"[..], b"\r\n", b"\n\n", b""][random.below(16).saturating_sub(12)]);
    }
    log
}

/// Up to four times a byte changed, a piece cut out, doubled or taken from another line, or something put in that parsers
/// trip over.
fn mutate(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    const PIECES: [&[u8]; 20] = [
        b"\"",
        b"\"\"",
        b"\\\"",
        b"\\",
        b"\\\\",
        b" ",
        b"  ",
        b"[",
        b"]",
        b"[10/Oct/2000:13:55:36 -0700] \"",
        b"-",
        b" 200 ",
        b"?",
        b",",
        b"\0",
        b"\xff\xfe",
        b"\r",
        b"::",
        b"99999999999999999999",
        b"\t",
    ];
    let mut bytes = bytes.to_vec();
    for _ in 0..random.below(5) {
        let at = random.below(bytes.len() + 1);
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(random.range(&bytes, 16))),
            3 => {
                let piece = bytes[random.range(&bytes, 60)].to_vec();
                bytes.splice(at..at, piece);
            }
            4 => {
                let piece = other[random.range(other, 60)].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
    bytes
}

/// Every line is a request or not one, wherever the log is cut, and parts of a line are parts of it.
pub(crate) fn check(log: &[u8], random: &mut Random) {
    let field = [ClientField::Remote, ClientField::HeaderLast, ClientField::Header(1)][random.below(3)];
    let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap(), "192.0.2.0/25".parse().unwrap()];
    let settings = Settings { client_field: field, trusted_proxies, ..Settings::default() };
    let whole = counted(&[log], &settings);
    let lines = log.split_inclusive(|byte| *byte == b'\n');
    let number = lines.clone().count() as u64;
    assert_eq!(whole.log.lines, number);
    assert_eq!(whole.log.requests + whole.log.unreadable, number);
    assert_eq!(whole.clients.iter().map(|client| client.evidence.requests).sum::<u64>(), whole.log.requests);
    let one_by_one: Vec<&[u8]> = lines.collect();
    assert_eq!(counted(&one_by_one, &settings), whole);
    let cut = random.below(one_by_one.len() + 1);
    assert_eq!(counted(&[&one_by_one[..cut].concat(), &one_by_one[cut..].concat()], &settings), whole);
    let [mut merged, other] = [&one_by_one[..cut], &one_by_one[cut..]].map(|lines| counter(lines, &settings));
    merged.merge(other);
    let merged = merged.finish();
    let requests =
        |counts: &Counts| -> Vec<u64> { counts.clients.iter().map(|client| client.evidence.requests).collect() };
    assert_eq!((merged.log.lines, requests(&merged)), (number, requests(&whole)));
    match count(vec![Source::stream("log", Cursor::new(log))], &settings, |_| true) {
        Ok(counts) => assert_eq!(counts, whole),
        Err(LogError::NotALog { unreadable, .. }) => {
            assert!(unreadable == whole.log.unreadable && 2 * unreadable > number)
        }
        // What the damage made look packed.
        Err(LogError::Read { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    for line in one_by_one {
        if let Ok(entry) = parse_line(line, field, &settings.trusted_proxies) {
            let within = |part: &[u8]| part.is_empty() || line.windows(part.len()).any(|window| window == part);
            assert!(within(entry.path) && entry.user_agent.is_none_or(within));
            assert!(entry.status < 1_000 && entry.client.to_canonical() == entry.client);
        }
    }
}

fn counted(blocks: &[&[u8]], settings: &Settings) -> Counts {
    counter(blocks, settings).finish()
}

fn counter(blocks: &[&[u8]], settings: &Settings) -> Counter {
    let mut counter = Counter::new(settings);
    counter.begin_source("log");
    blocks.iter().for_each(|block| counter.add(block));
    counter
}

#[test]
fn promises_hold_for_damaged_lines() {
    let (seeds, mut random) = (seeds(), Random(7));
    for _ in 0..3_000 {
        let log = mutated_log(&seeds, &mut random);
        check(&log, &mut random);
    }
}
