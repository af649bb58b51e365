//! What lines say.

use weir_accesslog::{ClientField, Entry, LINE_LIMIT, Unreadable, parse_line};

const TIME: i64 = 971_211_336;

fn read(line: &str) -> Result<Entry<'_>, Unreadable> {
    parse_line(line.as_bytes(), ClientField::Remote, &[])
}

/// `client method path status agent`
fn said(line: &str) -> String {
    let entry = read(line).unwrap_or_else(|reason| panic!("{line}: {reason}"));
    assert_eq!(entry.time, TIME, "{line}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let agent = entry.user_agent.map_or("none".to_owned(), text);
    format!("{} {} {} {} {agent}", entry.client, entry.method.name(), text(entry.path), entry.status)
}

#[test]
fn the_common_and_the_combined_format() {
    let common = r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326"#;
    assert_eq!(said(common), "127.0.0.1 GET /apache_pb.gif 200 none");
    let combined = format!(r#"{common} "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)""#);
    assert_eq!(said(&combined), "127.0.0.1 GET /apache_pb.gif 200 Mozilla/4.08 [en] (Win98; I ;Nav)");
    assert_eq!(said(&format!("{combined}\r\n")), said(&combined), "a line end of Windows");
    assert_eq!(said(&common.replace("2326", "-")), "127.0.0.1 GET /apache_pb.gif 200 none", "no length");
    assert_eq!(said(common.strip_suffix(" 2326").unwrap()), "127.0.0.1 GET /apache_pb.gif 200 none");
}

#[test]
fn a_host_stands_in_front_or_a_field_is_missing() {
    for head in [
        "www.example.net 1.2.3.4 - -",
        "www.example.net:443 1.2.3.4 - -",
        "10.0.0.1 1.2.3.4 - -",
        "10.0.0.1:8080 1.2.3.4 - user",
        "www.example.net 1.2.3.4 -",
        "1.2.3.4 -",
        "1.2.3.4 - user",
        "1.2.3.4 - user name with spaces",
        "1.2.3.4 - [user] in brackets",
        "1.2.3.4 - user [10/Oct/2001:13:55:36 -0700]",
        "1.2.3.4 ident 9.9.9.9",
        "1.2.3.4 9.9.9.9 -",
        "::ffff:1.2.3.4 - -",
    ] {
        let line = format!(r#"{head} [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5 "-" "curl""#);
        assert_eq!(said(&line), "1.2.3.4 GET / 200 curl", "{head}");
    }
}

#[test]
fn clients_with_ipv6() {
    for client in ["2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:50229", "www.example.net 2001:db8:0:0::7"] {
        let line = format!(r#"{client} - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5 "-" "curl""#);
        assert_eq!(said(&line), "2001:db8::7 GET / 200 curl", "{client}");
    }
}

#[test]
fn quotes_within_fields() {
    let line = |request: &str, agent: &str| {
        format!(r#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "{request}" 200 5 "-" "{agent}""#)
    };
    assert_eq!(said(&line(r#"GET /a\"b HTTP/1.1"#, r#"a \"b\" c"#)), r#"1.2.3.4 GET /a\"b 200 a \"b\" c"#);
    assert_eq!(said(&line(r"GET /a\x22b HTTP/1.1", r"a \x22b")), r"1.2.3.4 GET /a\x22b 200 a \x22b");
    assert_eq!(said(&line(r"GET /a\\ HTTP/1.1", r"a\\")), r"1.2.3.4 GET /a\\ 200 a\\");
    assert_eq!(said(&line(r#"GET /a"b HTTP/1.1"#, "curl")), r#"1.2.3.4 GET /a"b 200 curl"#, "not escaped at all");
    assert_eq!(said(&line(r#"GET /a" 20x HTTP/1.1"#, "curl")), r#"1.2.3.4 - GET /a" 20x HTTP/1.1 200 curl"#);
}

#[test]
fn request_lines_that_are_garbage_are_requests_without_a_method() {
    for request in [
        "",
        "-",
        r"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET",
        "GET / with spaces HTTP/1.1",
        "GET  HTTP/1.1",
        "get / HTTP/1.1",
        "GET / FTP/1.0",
        "- / HTTP/1.1",
    ] {
        let line = format!(r#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "{request}" 400 5 "-" "-""#);
        assert_eq!(said(&line), format!("1.2.3.4 - {request} 400 none"));
    }
}

#[test]
fn methods_paths_and_statuses() {
    let line = |request: &str, status: &str| {
        format!(r#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "{request}" {status} 5 "-" """#)
    };
    assert_eq!(said(&line("POST /a/b?c=d?e HTTP/2.0", "499")), "1.2.3.4 POST /a/b 499 none");
    assert_eq!(said(&line("GET /?123", "200")), "1.2.3.4 GET / 200 none", "HTTP/0.9");
    assert_eq!(said(&line("BREW /pot HTTP/1.1", "418")), "1.2.3.4 other /pot 418 none");
    assert_eq!(said(&line("M-SEARCH * HTTP/1.1", "405")), "1.2.3.4 other * 405 none");
    assert_eq!(said(&line("CONNECT example.org:443 HTTP/1.1", "000")), "1.2.3.4 CONNECT example.org:443 0 none");
    assert_eq!(said(&line("GET / HTTP/1.1", "-")), "1.2.3.4 GET / 0 none");
}

#[test]
fn one_more_pair_of_quotes_around_the_line() {
    let line = r#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET /a\"b HTTP/1.1" 200 5 "-" "x \"y\" z""#;
    let expected = r#"1.2.3.4 GET /a\"b 200 x \"y\" z"#;
    assert_eq!(said(line), expected);
    assert_eq!(said(&format!(r#""{line}""#)), expected, "left as they are");
    let doubled = line.replace('"', r#""""#);
    assert_eq!(said(&format!(r#""{doubled}""#)).replace(r#""""#, r#"""#), expected, "as CSV writes them");
    let escaped = line.replace('\\', r"\\").replace('"', r#"\""#);
    let unescaped = said(&format!(r#""{escaped}""#)).replace(r#"\""#, r#"""#).replace(r"\\", r"\");
    assert_eq!(unescaped, expected, "as JSON writes them");
    let empty = r#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "" 400 0 "-" "-""#;
    for wrapped in [empty.to_owned(), empty.replace('"', r#""""#), empty.replace('"', r#"\""#)] {
        assert_eq!(said(&format!(r#""{wrapped}""#)), "1.2.3.4 -  400 none", "an empty request");
    }
}

#[test]
fn lines_that_are_no_requests_say_why() {
    let long = format!(r#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET /{} HTTP/1.1" 200 5"#, "x".repeat(LINE_LIMIT));
    for (line, reason) in [
        ("", Unreadable::Empty),
        ("  \r\n", Unreadable::Empty),
        (&long, Unreadable::TooLong),
        (
            "[Thu Oct 13 12:24:49.880562 2022] [auth_basic:error] [pid 10] [client 1.2.3.4:5] AH01618",
            Unreadable::ErrorLog,
        ),
        (r#"2021/12/01 13:53:33 [error] 31#31: *46 "/x" is not found, client: 172.17.0.1"#, Unreadable::ErrorLog),
        ("Oct 10 13:55:36 host sshd[12]: Failed password", Unreadable::NoTime),
        (r#"1.2.3.4 - - [10/Oct/2000] "GET / HTTP/1.1" 200 5"#, Unreadable::NoTime),
        ("1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] GET / HTTP/1.1 200 5", Unreadable::NoTime),
        (r#"example.org - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5"#, Unreadable::NoAddress),
        (r#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1"#, Unreadable::NoStatus),
        (r#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" x"#, Unreadable::NoStatus),
        (r#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 2000 5"#, Unreadable::NoStatus),
    ] {
        assert_eq!(read(line).unwrap_err(), reason, "{}", &line[..line.len().min(100)]);
    }
}

#[test]
fn behind_a_proxy_the_client_stands_in_a_header() {
    let trusted = ["10.0.0.0/8".parse().unwrap()];
    let client = |remote: &str, fields: &str, field: ClientField| {
        let line = format!(r#"{remote} - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5 "-" "curl"{fields}"#);
        parse_line(line.as_bytes(), field, &trusted).unwrap().client.to_string()
    };
    let (first, last) = (ClientField::Header(1), ClientField::HeaderLast);
    assert_eq!(client("10.0.0.1", r#" "192.0.2.7""#, first), "192.0.2.7");
    assert_eq!(client("10.0.0.1", r#" "6.6.6.6, 192.0.2.7, 10.0.0.2""#, first), "192.0.2.7", "the left can be forged");
    assert_eq!(client("10.0.0.1", r#" "0.03" "192.0.2.7" 17"#, ClientField::Header(2)), "192.0.2.7");
    assert_eq!(client("10.0.0.1", r#" "0.03" "192.0.2.7" 17"#, last), "192.0.2.7");
    assert_eq!(client("10.0.0.1", r#" "192.0.2.7""#, ClientField::Remote), "10.0.0.1");
    assert_eq!(client("203.0.113.9", r#" "192.0.2.7""#, first), "203.0.113.9", "nobody whose word counts");
    for nobody in ["", r#" "-""#, r#" "unknown""#, r#" "10.0.0.3""#, r#" """#] {
        assert_eq!(client("10.0.0.1", nobody, last), "10.0.0.1", "{nobody}");
    }
}
