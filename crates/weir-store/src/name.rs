//! Names of feature groups and training datasets.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use weir_contract::{Classify, ExitCode};

/// A name that is a folder on every file system and a key on every object store: 1 to 64 of `a-z`, `0-9`, `-`, `_`
/// and `.`, the first of them a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// A text that is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name: expected 1 to 64 of a-z, 0-9, '-', '_' and '.', starting with a letter or digit")]
pub struct BadName(pub String);

impl Classify for BadName {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }
}

impl Name {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let starts = text.bytes().next().is_some_and(plain);
        let known = text.bytes().all(|byte| plain(byte) || b"-_.".contains(&byte));
        if starts && known && text.len() <= 64 { Ok(Self(text.to_owned())) } else { Err(BadName(text.to_owned())) }
    }
}

impl TryFrom<String> for Name {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leaves_neither_its_folder_nor_its_line() {
        for bad in ["", ".", "..", "a/b", "A", "a b", "-a", "ä", &"a".repeat(65)] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
        assert_eq!("flows-2.x_1".parse::<Name>().map(String::from), Ok("flows-2.x_1".to_owned()));
    }
}
