//! `SHA256SUMS`, as coreutils writes it: `<64 hex digits>  <name>` per line.

use std::collections::BTreeMap;

use weir_contract::Digest;

use crate::files::{SUMS, SUMS_SIGNATURE};

/// Digests by file name.
pub(crate) type Sums = BTreeMap<String, Digest>;

/// The file's text, sorted by name.
pub(crate) fn write(sums: &Sums) -> String {
    sums.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect()
}

/// Reads the file's bytes; the error says which line is wrong and how.
pub(crate) fn parse(bytes: &[u8]) -> Result<Sums, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut sums = Sums::new();
    for (index, line) in text.lines().enumerate() {
        let wrong = |what: &str| format!("line {}: {what}", index + 1);
        let (digest, name) = line.split_once("  ").ok_or_else(|| wrong("expected a SHA-256, two spaces and a name"))?;
        let digest = digest.parse().map_err(|error: weir_contract::digest::DigestError| wrong(&error.to_string()))?;
        if name.is_empty()
            || matches!(name, "." | ".." | SUMS | SUMS_SIGNATURE)
            || name.contains(['/', '\\', '\0', '\r'])
        {
            return Err(wrong(&format!("{name:?} cannot name a file of a bundle")));
        }
        if sums.insert(name.to_owned(), digest).is_some() {
            return Err(wrong(&format!("{name} is listed twice")));
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_round_trip_in_the_form_of_coreutils() {
        let sums = Sums::from([("b".to_owned(), Digest::of(b"abc")), ("a c".to_owned(), Digest::of(b""))]);
        let text = write(&sums);
        assert_eq!(
            text,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a c\n\
             ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n"
        );
        assert_eq!(parse(text.as_bytes()), Ok(sums));
    }

    #[test]
    fn a_name_that_leaves_the_directory_or_comes_twice_is_refused() {
        let line = |name: &str| format!("{}  {name}\n", Digest::of(b""));
        for name in ["../a", "/etc/passwd", "a\\b", "..", "", SUMS, SUMS_SIGNATURE] {
            assert!(parse(line(name).as_bytes()).unwrap_err().starts_with("line 1: "), "{name:?} was accepted");
        }
        assert_eq!(parse((line("a") + &line("a")).as_bytes()).unwrap_err(), "line 2: a is listed twice");
        assert_eq!(parse(b"abc\n").unwrap_err(), "line 1: expected a SHA-256, two spaces and a name");
        assert!(parse(b"abc  a\n").unwrap_err().contains("64 hex digits"));
    }
}
