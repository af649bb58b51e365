//! A line of an access log.
//!
//! The common and the combined format of Apache and nginx, and what is found beside them: the name of the host in front,
//! fields behind the user agent, one pair of quotes more around the line. Nothing is copied; quoted fields stay as the
//! server escaped them.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use memchr::{memchr, memchr2, memrchr};

use crate::address::{self, ClientField};
use crate::timestamp;

/// Length of the longest line that is read whole, bytes: four fields of 8 KiB, the most that Apache and nginx take of a
/// client, with every byte escaped as `\xNN`, and as much again. Of a longer one the beginning is read.
pub const LINE_LIMIT: usize = 256 << 10;

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Who asked.
    pub client: IpAddr,
    /// When, seconds since 1970 UTC.
    pub time: i64,
    /// How.
    pub method: Method,
    /// What for, without the query; all of the request line where that is garbage.
    pub path: &'a [u8],
    /// The answer; 0 where there was none.
    pub status: u16,
    /// The program that asked, as it says itself; none for `-`.
    pub user_agent: Option<&'a [u8]>,
}

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method(u8);

const METHODS: [&str; 17] = [
    "-",
    "other",
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "REPORT",
    "SEARCH",
    "PURGE",
];

impl Method {
    /// The request line has none: it is garbage.
    pub const NONE: Self = Self(0);
    /// One that is not usual.
    pub const OTHER: Self = Self(1);

    /// Its name: `-` for none, `other` for an unusual one.
    #[must_use]
    pub fn name(self) -> &'static str {
        METHODS[usize::from(self.0)]
    }

    fn of(word: &[u8]) -> Option<Self> {
        if word == b"GET" {
            return Some(Self(2));
        }
        let is_word = word.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-');
        if !is_word || word.len() > 32 || !word.first().is_some_and(u8::is_ascii_uppercase) {
            return None;
        }
        let known = (2..).zip(&METHODS[2..]).find(|(_, name)| name.as_bytes() == word);
        Some(known.map_or(Self::OTHER, |(index, _)| Self(index)))
    }
}

/// Why a line is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// There is nothing on it.
    Empty,
    /// It is longer than [`LINE_LIMIT`], and its beginning is no request.
    TooLong,
    /// It is of an error log.
    ErrorLog,
    /// It has no time in brackets with a request in quotes behind it.
    NoTime,
    /// It does not start with an address.
    NoAddress,
    /// The quotes around the request are not closed, or there is no status behind them.
    NoStatus,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "an empty line",
            Self::TooLong => "a line of more than 256 KiB",
            Self::ErrorLog => "a line of an error log",
            Self::NoTime => "no time such as [10/Oct/2000:13:55:36 +0000] before a request in quotes",
            Self::NoAddress => "no IP address where the client stands",
            Self::NoStatus => "no status behind a request in quotes",
        })
    }
}

/// Reads a line, with or without its line end. The client is the one that `field` and the `trusted` proxies say.
///
/// # Errors
/// [`Unreadable`] where the line is no request of an access log. A request line that is garbage is a request.
pub fn parse_line<'a>(line: &'a [u8], field: ClientField, trusted: &[IpNet]) -> Result<Entry<'a>, Unreadable> {
    if line.len() > LINE_LIMIT {
        // What matters stands in front; but whom the last fields name is not known.
        let entry =
            if field == ClientField::Remote { parse_line(&line[..LINE_LIMIT], field, trusted).ok() } else { None };
        return entry.ok_or(Unreadable::TooLong);
    }
    let line = line.trim_ascii_end();
    let (line, wrapped) = match line {
        [] => return Err(Unreadable::Empty),
        [b'"', inner @ .., b'"'] => (inner, true),
        [b'"', inner @ ..] => (inner, true),
        _ => (line, false),
    };
    let Some((time, head, tail)) = split_at_time(line, wrapped) else {
        return Err(if is_error_log(line) { Unreadable::ErrorLog } else { Unreadable::NoTime });
    };
    let remote = remote_address(head).ok_or(Unreadable::NoAddress)?;
    let (quote, request_and_rest) = Quote::open(tail, wrapped).ok_or(Unreadable::NoTime)?;
    let (request, status, rest) = request_and_status(request_and_rest, quote).ok_or(Unreadable::NoStatus)?;
    let mut fields = QuotedFields { quote, wrapped, rest };
    let _referer = fields.next();
    let user_agent = fields.next().filter(|agent| !matches!(*agent, b"" | b"-"));
    let header = match field {
        ClientField::Remote => None,
        _ if !address::is_in(remote, trusted) => None,
        ClientField::Header(number) => usize::from(number).checked_sub(1).and_then(|before| fields.nth(before)),
        ClientField::HeaderLast => fields.last(),
    };
    let client = header.and_then(|header| address::behind_proxies(header, trusted)).unwrap_or(remote);
    let (method, path) = method_and_path(request);
    Ok(Entry { client, time, method, path, status, user_agent })
}

/// The first time in brackets that has a quote behind it, with what is before its bracket and behind. A user name may
/// hold brackets, and even a time, but no quote that is not escaped.
fn split_at_time(line: &[u8], wrapped: bool) -> Option<(i64, &[u8], &[u8])> {
    let mut from = 0;
    loop {
        let bracket = from + memchr(b'[', &line[from..])?;
        from = bracket + 1;
        if bracket == 0 || line[bracket - 1] != b' ' {
            continue;
        }
        if let Some((time, length)) = timestamp::parse(&line[from..])
            && let [b']', b' ', tail @ ..] = &line[from + length..]
            && Quote::open(tail, wrapped).is_some()
        {
            return Some((time, &line[..bracket - 1], tail));
        }
    }
}

/// The address in `client ident user`, with the name of a host before it or without, and with a field missing or without.
///
/// Where the host stands in front, it may look like an address, since it is what the client says; so with four words
/// the second is asked first. An ident is never an address.
fn remote_address(head: &[u8]) -> Option<IpAddr> {
    let end = memchr(b' ', head).unwrap_or(head.len());
    let (first, rest) = (&head[..end], head.get(end + 1..).unwrap_or_default());
    if rest.first() == Some(&b'-') {
        return address::parse(first);
    }
    let mut words = rest.split(|byte| *byte == b' ');
    let second = words.next().and_then(address::parse);
    match (second, words.nth(1)) {
        (Some(second), Some(_)) => Some(second),
        (second, _) => address::parse(first).or(second),
    }
}

/// How quotes are written: in a line wrapped in quotes those within are doubled, escaped, or left as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    Plain,
    Doubled,
    Escaped,
}

impl Quote {
    /// The quote that `text` starts with, and what is behind it.
    fn open(text: &[u8], wrapped: bool) -> Option<(Self, &[u8])> {
        match text {
            // `"" ` is an empty field in plain quotes.
            [b'"', b'"', rest @ ..] if wrapped && rest.first() != Some(&b' ') => Some((Self::Doubled, rest)),
            [b'\\', b'"', rest @ ..] if wrapped => Some((Self::Escaped, rest)),
            [b'"', rest @ ..] => Some((Self::Plain, rest)),
            _ => None,
        }
    }

    /// Where the next closing quote starts at or behind `from`, and its length.
    fn close(self, text: &[u8], mut from: usize) -> Option<(usize, usize)> {
        loop {
            let at = from + memchr2(b'"', b'\\', text.get(from..)?)?;
            let rest = &text[at..];
            from = at
                + match self {
                    Self::Plain if rest[0] == b'"' => return Some((at, 1)),
                    Self::Plain => 2,
                    Self::Doubled if rest.starts_with(b"\"\"") => return Some((at, 2)),
                    Self::Doubled if rest.starts_with(b"\\\"\"") => 3,
                    Self::Doubled if rest[0] == b'\\' => 2,
                    Self::Escaped if rest.starts_with(b"\\\"") => return Some((at, 2)),
                    Self::Escaped if rest.starts_with(b"\\\\\\") => 4,
                    Self::Escaped if rest.starts_with(b"\\\\") => 3,
                    Self::Doubled | Self::Escaped => 1,
                };
        }
    }
}

/// The request up to the first closing quote with a status behind it, the status, and the rest. Servers that do not
/// escape leave quotes in the request.
fn request_and_status(text: &[u8], quote: Quote) -> Option<(&[u8], u16, &[u8])> {
    let mut from = 0;
    loop {
        let (at, length) = quote.close(text, from)?;
        from = at + length;
        let (status, rest) = match &text[from..] {
            [b' ', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
                (u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0'), rest)
            }
            [b' ', b'-', rest @ ..] => (0, rest),
            _ => continue,
        };
        if matches!(rest, [] | [b' ', ..]) {
            return Some((&text[..at], status, rest));
        }
    }
}

/// The quoted fields of a text, without their quotes.
struct QuotedFields<'a> {
    quote: Quote,
    wrapped: bool,
    rest: &'a [u8],
}

impl<'a> Iterator for QuotedFields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = match self.quote {
            Quote::Escaped => b'\\',
            Quote::Plain | Quote::Doubled => b'"',
        };
        loop {
            let at = memchr(start, self.rest)?;
            let opened = &self.rest[at..];
            let Some((_, text)) = Quote::open(opened, self.wrapped).filter(|(quote, _)| *quote == self.quote) else {
                self.rest = &opened[1..];
                continue;
            };
            // The last field of a line that was cut off is what is left of it.
            let (end, length) = self.quote.close(text, 0).unwrap_or((text.len(), 0));
            self.rest = &text[end + length..];
            return Some(&text[..end]);
        }
    }
}

/// The method and the path, without its query, of `GET /path?query HTTP/1.1`, or of `GET /path` as HTTP/0.9 has it.
fn method_and_path(request: &[u8]) -> (Method, &[u8]) {
    let garbage = (Method::NONE, request);
    let Some(first) = memchr(b' ', request) else { return garbage };
    let Some(method) = Method::of(&request[..first]) else { return garbage };
    let last = memrchr(b' ', request).unwrap_or(first);
    let target = if last > first {
        if !request[last + 1..].starts_with(b"HTTP/") {
            return garbage;
        }
        &request[first + 1..last]
    } else {
        &request[first + 1..]
    };
    if target.is_empty() || memchr(b' ', target).is_some() {
        return garbage;
    }
    (method, &target[..memchr(b'?', target).unwrap_or(target.len())])
}

/// `[Thu Oct 13 12:24:49.880562 2022] [...` of Apache, `2021/12/01 13:53:33 [error] ...` of nginx.
fn is_error_log(line: &[u8]) -> bool {
    match line {
        [b'[', rest @ ..] => rest.len() > 4 && rest[..3].iter().all(u8::is_ascii_alphabetic) && rest[3] == b' ',
        [_, _, _, _, b'/', _, _, b'/', _, _, b' ', ..] => line[..4].iter().all(u8::is_ascii_digit),
        _ => false,
    }
}
