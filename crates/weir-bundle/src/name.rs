//! The name of a bundle.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a bundle is called: 1 to 63 lowercase letters, digits and `-`, from a letter to a letter or digit.
///
/// That is a DNS label (RFC 1035), so the name can also be that of a served model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BundleName(String);

/// A text that cannot name a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a name of 1 to 63 lowercase letters, digits and -, that begins with a letter and does not end with -, \
     received {0:?}"
)]
pub struct BadName(pub String);

impl BundleName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for BundleName {
    /// `weir-detector`.
    fn default() -> Self {
        Self("weir-detector".to_owned())
    }
}

impl fmt::Display for BundleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for BundleName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let good = (1..=63).contains(&text.len())
            && text.bytes().all(plain)
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && !text.ends_with('-');
        if good { Ok(Self(text.to_owned())) } else { Err(BadName(text.to_owned())) }
    }
}

impl TryFrom<String> for BundleName {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl From<BundleName> for String {
    fn from(name: BundleName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_dns_label() {
        for name in ["weir-detector", "a", "a1--b", &"x".repeat(63)] {
            assert_eq!(name.parse::<BundleName>().map(String::from).as_deref(), Ok(name));
        }
        for name in ["", "Weir", "a_b", "a b", "-a", "a-", "1a", "a/b", "é", &"x".repeat(64)] {
            assert_eq!(name.parse::<BundleName>(), Err(BadName(name.to_owned())));
        }
    }
}
