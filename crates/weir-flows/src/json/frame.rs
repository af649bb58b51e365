//! Where objects that may span lines start and end.

use memchr::{memchr, memrchr};

use crate::decode::LINE_LIMIT;

/// What a run of bytes starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// So many bytes between two objects: blanks, commas and brackets.
    Between(usize),
    /// So many bytes that say that there are no flows.
    NoFlows(usize),
    /// An object of so many bytes.
    Object(usize),
    /// So many bytes that are no object, and why.
    Broken(usize, &'static str),
    /// More bytes are needed to tell, or there are none.
    Incomplete,
}

/// What nfdump writes instead of objects when there are none.
pub(crate) const NO_FLOWS: &[u8] = b"No matching flows";

/// The first piece of `bytes`; `whole` tells that they are all there is.
///
/// An object ends with the brace that closes it. It is broken where a text in it is not closed on its line, where a line
/// starts with an opening brace, which is how nfdump starts the next object, or after [`LINE_LIMIT`] bytes. What is no
/// object is one piece up to the next line that starts with an opening brace.
pub(crate) fn piece(bytes: &[u8], whole: bool) -> Piece {
    let between = bytes.iter().take_while(|byte| is_between(**byte)).count();
    if between > 0 {
        return Piece::Between(between);
    }
    let window = &bytes[..bytes.len().min(LINE_LIMIT)];
    let cut_off = window.len() < bytes.len();
    let (length, reason) = match window.first() {
        None => return Piece::Incomplete,
        Some(b'{') => match object(window) {
            Ok(Some(length)) => return Piece::Object(length),
            Ok(None) if cut_off => {
                (Some(window.len()), "expected an object of at most 1048576 bytes, found a longer one")
            }
            Ok(None) => (None, "expected an object, found one that is not closed before the file ends"),
            Err(length) => {
                (Some(length), "expected an object, found one that is not closed before the next line or object")
            }
        },
        Some(_) if window.starts_with(NO_FLOWS) => return Piece::NoFlows(NO_FLOWS.len()),
        Some(_) if NO_FLOWS.starts_with(window) && !whole => return Piece::Incomplete,
        Some(_) => (next_object(window).or(cut_off.then_some(window.len())), "expected an object"),
    };
    match length {
        Some(length) => Piece::Broken(length, reason),
        None if whole => Piece::Broken(window.len(), reason),
        None => Piece::Incomplete,
    }
}

/// The length of the largest prefix that seems to end between two objects.
pub(crate) fn cut(bytes: &[u8]) -> Option<usize> {
    let mut end = bytes.len();
    while let Some(line_end) = memrchr(b'\n', &bytes[..end]) {
        match bytes[..line_end].iter().rposition(|byte| !is_between(*byte)) {
            Some(last) if bytes[last] == b'}' => return Some(line_end + 1),
            last => end = last.unwrap_or(0),
        }
    }
    let mut at = 0;
    while let Piece::Between(length) | Piece::NoFlows(length) | Piece::Object(length) | Piece::Broken(length, _) =
        piece(&bytes[at..], false)
    {
        at += length;
    }
    (at > 0).then_some(at)
}

fn is_between(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']')
}

/// The length of the object that starts with the first byte; nothing where it is not closed; the length up to where it
/// breaks as an error.
fn object(bytes: &[u8]) -> Result<Option<usize>, usize> {
    // Byte by byte: between two bytes that matter lie too few for a search to pay.
    let (mut depth, mut in_text, mut escaped, mut before) = (0_usize, false, false, b' ');
    for (at, &byte) in bytes.iter().enumerate() {
        if in_text {
            match byte {
                b'\n' => return Err(at + 1),
                b'"' if !escaped => in_text = false,
                _ => {}
            }
            escaped = byte == b'\\' && !escaped;
        } else {
            match byte {
                b'"' => in_text = true,
                b'{' if before == b'\n' => return Err(at),
                b'{' => depth += 1,
                b'}' if depth == 1 => return Ok(Some(at + 1)),
                b'}' => depth -= 1,
                _ => {}
            }
        }
        before = byte;
    }
    Ok(None)
}

/// Where the next line that starts with an object starts.
fn next_object(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = memchr(b'{', &bytes[at..]) {
        at += found;
        if starts_line(&bytes[..at]) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Whether nothing but blanks follows the last line end.
fn starts_line(before: &[u8]) -> bool {
    before.iter().rev().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(&b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_an_array() {
        assert_eq!(piece(b" [\n{", false), Piece::Between(3));
        assert_eq!(piece(br#"{"a}\"":{"b":1}},{"#, false), Piece::Object(16));
        assert_eq!(piece(br#"{"a":{"b":1}"#, false), Piece::Incomplete);
        assert!(matches!(piece(br#"{"a":{"b":1}"#, true), Piece::Broken(12, _)));
        assert!(matches!(piece(b"{\"a\":1\n{\"a\":2}", false), Piece::Broken(7, _)));
        assert!(matches!(piece(b"{\"a\":\"1\n,\"b\":2}", false), Piece::Broken(8, _)));
        assert!(matches!(piece(b"}} what\n  {\"a\":2}", false), Piece::Broken(10, _)));
        assert_eq!(piece(b"No matching flows\n]", false), Piece::NoFlows(NO_FLOWS.len()));
        assert_eq!(piece(b"No matching fl", false), Piece::Incomplete);
        assert_eq!(piece(b"", true), Piece::Incomplete);
    }

    #[test]
    fn cuts_lie_behind_the_last_object_that_closes() {
        for (bytes, expected) in [
            (&b"[\n{\n\t\"a\" : 1\n},\n{\n\t\"a\" : 2\n"[..], Some(16)),
            (b"{\"a\":1}\n{\"a\":2}\n\n,\n{\"a\"", Some(19)),
            (b"[{\"a\":1},{\"a\":2},{\"a\"", Some(17)),
            (b"{\n\t\"a\" : 1\n", None),
            (b"", None),
        ] {
            assert_eq!(cut(bytes), expected, "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(cut(&b"\n".repeat(1 << 21)), Some(1 << 21));
    }
}
