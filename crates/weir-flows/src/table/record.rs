//! A record to its fields.

use memchr::{memchr, memmem};

/// The longest record with a quoted field that spans lines, in bytes.
pub(crate) const QUOTED_LIMIT: usize = 16 << 10;

/// Where the fields of a record end. A buffer, to be used again for each record.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    /// Between two fields lies one separator.
    ends: Vec<usize>,
}

/// What came of splitting a record with quotes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Quoted {
    /// A record that takes up so many bytes, with its line end, and lines.
    Record { bytes: usize, lines: u64 },
    /// A quoted field is not closed in time, or text follows its closing quote.
    /// The field is the one after those split.
    Unclosed,
    /// More bytes are needed to tell.
    Incomplete,
}

impl Fields {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field of the record whose text was split.
    #[inline]
    pub(crate) fn get<'a>(&self, text: &'a [u8], index: usize) -> &'a [u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] + 1 };
        &text[start..self.ends[index]]
    }

    /// Splits a record without quotes.
    #[inline]
    pub(crate) fn split(&mut self, record: &[u8], separator: u8) {
        const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        let pattern = u64::from_ne_bytes([separator; 8]);
        self.ends.clear();
        let (words, rest) = record.as_chunks::<8>();
        for (index, word) in words.iter().enumerate() {
            // A byte that equals the separator becomes 0x80, any other 0 (Hacker's Delight, 6-1).
            let difference = u64::from_le_bytes(*word) ^ pattern;
            let mut found = !(((difference & LOW) + LOW) | difference | LOW);
            while found != 0 {
                self.ends.push(index * 8 + found.trailing_zeros() as usize / 8);
                found &= found - 1;
            }
        }
        let done = words.len() * 8;
        self.ends.extend(rest.iter().enumerate().filter(|(_, byte)| **byte == separator).map(|(at, _)| done + at));
        self.ends.push(record.len());
    }

    /// Splits the last field of a split record once more, at a separator of its own. Only the first byte of it counts as
    /// separator: the others stay at the start of the field that follows.
    pub(crate) fn split_last(&mut self, record: &[u8], separator: &[u8]) {
        self.ends.pop();
        let start = self.ends.last().map_or(0, |end| end + 1);
        self.ends.extend(memmem::find_iter(&record[start..], separator).map(|at| start + at));
        self.ends.push(record.len());
    }

    /// Splits the record at the start of `rest`, which may hold quoted fields and so span lines; `text` receives the
    /// fields without quotes. `whole` tells that `rest` is all there is.
    pub(crate) fn split_quoted(&mut self, rest: &[u8], separator: u8, whole: bool, text: &mut Vec<u8>) -> Quoted {
        self.ends.clear();
        text.clear();
        let first_line = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let limit = first_line.max(QUOTED_LIMIT);
        let window = &rest[..rest.len().min(limit)];
        let ran_out = if whole || rest.len() >= limit { Quoted::Unclosed } else { Quoted::Incomplete };
        // The end of the file ends a record; the end of a window of a longer file does not.
        let ends_here = whole && window.len() == rest.len();
        let (mut at, mut lines) = (0, 1);
        loop {
            if window.get(at) == Some(&b'"') {
                at += 1;
                loop {
                    let Some(quote) = memchr(b'"', &window[at..]) else { return ran_out };
                    lines += memchr::memchr_iter(b'\n', &window[at..at + quote]).count() as u64;
                    text.extend_from_slice(&window[at..at + quote]);
                    at += quote + 1;
                    if window.get(at) != Some(&b'"') {
                        break;
                    }
                    text.push(b'"');
                    at += 1;
                }
            } else {
                let length = memchr::memchr2(separator, b'\n', &window[at..]).unwrap_or(window.len() - at);
                let field = &window[at..at + length];
                at += length;
                // The CR of a line end is no part of the field; at the end of the window it may be one.
                let is_line_end = window.get(at) != Some(&separator);
                let carriage_return = is_line_end && field.last() == Some(&b'\r');
                at -= usize::from(carriage_return);
                text.extend_from_slice(&field[..field.len() - usize::from(carriage_return)]);
            }
            self.ends.push(text.len());
            match window[at..] {
                [byte, ..] if byte == separator => {
                    text.push(separator);
                    at += 1;
                }
                [b'\n', ..] => return Quoted::Record { bytes: at + 1, lines },
                [b'\r', b'\n', ..] => return Quoted::Record { bytes: at + 2, lines },
                [] | [b'\r'] if ends_here => return Quoted::Record { bytes: window.len(), lines },
                [] | [b'\r'] => return ran_out,
                _ => {
                    self.ends.pop();
                    return Quoted::Unclosed;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quoted(rest: &[u8], whole: bool) -> (Quoted, Vec<String>) {
        let (mut fields, mut text) = (Fields::default(), Vec::new());
        let outcome = fields.split_quoted(rest, b',', whole, &mut text);
        let texts = (0..fields.len()).map(|index| String::from_utf8_lossy(fields.get(&text, index)).into_owned());
        let texts = texts.collect();
        (outcome, texts)
    }

    #[test]
    fn quotes_hide_separators_quotes_and_line_ends() {
        let (outcome, texts) = quoted(b"\"a,b\",c,\"say \"\"x\"\"\",\"two\r\nlines\",\"\"\r\nnext", false);
        assert_eq!(outcome, Quoted::Record { bytes: 37, lines: 2 });
        assert_eq!(texts, ["a,b", "c", "say \"x\"", "two\r\nlines", ""]);
    }

    #[test]
    fn a_quote_within_a_field_is_text() {
        let (outcome, texts) = quoted(b"a\"b,c\n", false);
        assert_eq!((outcome, texts), (Quoted::Record { bytes: 6, lines: 1 }, vec!["a\"b".into(), "c".into()]));
    }

    #[test]
    fn an_open_quote_waits_for_more_up_to_the_limit() {
        assert_eq!(quoted(b"\"abc\n", false).0, Quoted::Incomplete);
        assert_eq!(quoted(b"\"abc\"", false).0, Quoted::Incomplete);
        assert_eq!(quoted(b"\"abc\"", true).0, Quoted::Record { bytes: 5, lines: 1 });
        assert_eq!(quoted(b"\"abc\n", true).0, Quoted::Unclosed);
        assert_eq!(quoted(b"\"abc\"d\n", false).0, Quoted::Unclosed);
        let mut long = b"\"abc\n".to_vec();
        long.resize(QUOTED_LIMIT, b'x');
        assert_eq!(quoted(&long, false).0, Quoted::Unclosed);
    }

    proptest! {
        #[test]
        fn without_quotes_both_ways_of_splitting_agree(record in "[^\"\r\n]{0,40}(,[^\"\r\n]{0,9}){0,12}") {
            let (mut plain, mut fields, mut text) = (Fields::default(), Fields::default(), Vec::new());
            plain.split(record.as_bytes(), b',');
            let outcome = fields.split_quoted(record.as_bytes(), b',', true, &mut text);
            prop_assert_eq!(outcome, Quoted::Record { bytes: record.len(), lines: 1 });
            prop_assert_eq!(&text, record.as_bytes());
            prop_assert_eq!(plain.ends, fields.ends);
        }
    }
}
