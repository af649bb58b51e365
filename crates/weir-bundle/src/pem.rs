//! The part of PEM (RFC 7468) that keys need.

/// The bytes of the first block with this label.
///
/// The error says what the text holds instead; it never shows a key.
pub(crate) fn decode(text: &str, label: &str) -> Result<Vec<u8>, String> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut lines = text.lines().map(str::trim_end);
    if !lines.any(|line| line == begin) {
        return Err(match text.lines().find_map(|line| line.trim_end().strip_prefix("-----BEGIN ")) {
            Some(other) => format!("it holds no {label} but: {}", other.trim_end_matches('-')),
            None => format!("there is no {begin} in it"),
        });
    }
    let mut digits = Vec::new();
    for line in lines {
        if line == end {
            return base64(&digits).ok_or_else(|| format!("the text after {begin} is not base64"));
        }
        digits.extend_from_slice(line.as_bytes());
    }
    Err(format!("it ends before {end}"))
}

/// Standard base64 with padding (RFC 4648, section 4); nothing for anything else.
fn base64(digits: &[u8]) -> Option<Vec<u8>> {
    let padding = digits.iter().rev().take_while(|&&digit| digit == b'=').count();
    if !digits.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let (mut bytes, mut bits, mut held) = (Vec::with_capacity(digits.len() / 4 * 3), 0_u32, 0);
    for &digit in &digits[..digits.len() - padding] {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    // What is left over is padding, and has to be zero.
    (bits == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (digits, bytes) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmFy", "foobar")]
        {
            assert_eq!(base64(digits.as_bytes()).as_deref(), Some(bytes.as_bytes()), "{digits}");
        }
        for wrong in ["Z", "Zg=", "Zg", "Zh==", "Zm9v====", "Z===", "Zm 9", "Zm9-", "=Zm9"] {
            assert_eq!(base64(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn the_block_of_the_label_is_read_and_others_are_named() {
        let text =
            "a comment\n-----BEGIN A-----\r\nZm9v\r\nYmFy\r\n-----END A-----\n-----BEGIN B-----\n-----END B-----\n";
        assert_eq!(decode(text, "A").as_deref(), Ok(b"foobar".as_slice()));
        assert_eq!(decode(text, "B").as_deref(), Ok(b"".as_slice()));
        assert_eq!(decode(text, "C").unwrap_err(), "it holds no C but: A");
        assert_eq!(decode("", "C").unwrap_err(), "there is no -----BEGIN C----- in it");
        assert_eq!(decode(&text[..40], "A").unwrap_err(), "it ends before -----END A-----");
        let wrong = "-----BEGIN A-----\nZm9\n-----END A-----\n";
        assert_eq!(decode(wrong, "A").unwrap_err(), "the text after -----BEGIN A----- is not base64");
    }
}
