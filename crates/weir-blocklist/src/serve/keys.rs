//! The keys of bouncers.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};
use weir_stage::Failure;

/// Shortest key, bytes: 16 random characters are out of reach of guessing.
const SHORTEST: usize = 16;

/// Who has which key. Digests are kept, so that how long a comparison takes says nothing of a key.
#[derive(Debug)]
pub(super) struct Keys(HashMap<[u8; 32], String>);

impl Keys {
    /// Reads `name:key` per line; empty lines and those that begin with `#` are passed over.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("failed to read keys from {shown}: {error}"))
                .hint("write a line name:key for each bouncer, with a key as openssl rand -hex 16 makes it")
        })?;
        let mut keys: HashMap<[u8; 32], String> = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // The line may be a key: it is not shown.
            let wrong = |reason: &str| Failure::usage(format!("{shown}:{number}: {reason}"));
            let (name, key) = line.split_once(':').ok_or_else(|| wrong("expected name:key"))?;
            let (name, key) = (name.trim(), key.trim());
            if name.is_empty() || key.len() < SHORTEST {
                return Err(wrong(&format!("expected a name and a key of at least {SHORTEST} characters")));
            }
            if keys.values().any(|known| known == name) || keys.insert(digest(key), name.to_owned()).is_some() {
                return Err(wrong("the name or the key is in the file already").hint("give every bouncer its own"));
            }
        }
        if keys.is_empty() {
            return Err(Failure::usage(format!("{shown} holds no key"))
                .hint("write a line name:key for each bouncer, with a key as openssl rand -hex 16 makes it"));
        }
        Ok(Self(keys))
    }

    /// Whose key it is.
    pub(super) fn name(&self, key: &str) -> Option<&str> {
        self.0.get(&digest(key)).map(String::as_str)
    }
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn keys(text: &str) -> Result<Keys, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Keys::read(file.path())
    }

    #[test]
    fn a_key_is_whose_line_it_is_on() {
        let keys = keys("# bouncers\n\nfirewall: 0123456789abcdef\nproxy:fedcba9876543210\n").unwrap();
        assert_eq!(keys.name("0123456789abcdef"), Some("firewall"));
        assert_eq!(keys.name("fedcba9876543210"), Some("proxy"));
        assert_eq!(keys.name("0123456789abcdeF"), None);
        assert_eq!(keys.name(""), None);
    }

    #[test]
    fn a_wrong_line_is_named_and_not_shown() {
        for (text, reason) in [
            ("", "holds no key"),
            ("0123456789abcdef", ":1: expected name:key"),
            ("\na:short", ":2: expected a name and a key of at least 16 characters"),
            ("a:0123456789abcdef\nb:0123456789abcdef", ":2: the name or the key is in the file already"),
            ("a:0123456789abcdef\na:0123456789abcdee", ":2: the name or the key is in the file already"),
        ] {
            let failure = keys(text).unwrap_err();
            assert!(failure.message.ends_with(reason), "{failure}");
            assert!(!failure.message.contains("0123456789abcde"), "{failure}");
        }
    }
}
