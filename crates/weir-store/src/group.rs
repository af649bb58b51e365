//! Feature groups: what rows are and what is expected of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use weir_contract::expectation::Policy;
use weir_contract::feature::Identifies;
use weir_contract::{Digest, Seed};

use crate::name::BadName;
use crate::{Name, Time};

/// A group and its version; text form `flows:2`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupKey {
    /// The group.
    pub name: Name,
    /// 1, 2, ...: another feature set or suite is another version.
    pub version: u32,
}

impl fmt::Display for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.version)
    }
}

/// A group as people name it: `flows` is its latest version, `flows:2` the second.
pub(crate) fn parse_key(text: &str) -> Result<(Name, Option<u32>), BadName> {
    let (name, version) = text.split_once(':').map_or((text, None), |(name, version)| (name, Some(version)));
    let number = |version: &str| match u32::from_str(version) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(BadName(text.to_owned())),
    };
    Ok((name.parse()?, version.map(number).transpose()?))
}

/// A text file that defines something, kept word for word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What it calls itself.
    pub name: String,
    /// The text.
    pub text: String,
    /// SHA-256 of the text.
    pub sha256: Digest,
}

impl Document {
    /// A document; its digest is computed.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { name: name.into(), sha256: Digest::of(text.as_bytes()), text }
    }
}

/// A feature as its feature set describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureNote {
    /// Column name.
    pub name: String,
    /// The expression over the canonical flow.
    pub expression: String,
    /// Unit of the values, `1` where there is none.
    pub unit: String,
    /// One line for people.
    pub description: String,
    /// What the feature identifies, if it identifies something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifies: Option<Identifies>,
}

/// What makes a version of a group. Any change to it is a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDefinition {
    /// The group.
    pub name: Name,
    /// One line for people.
    pub description: String,
    /// The feature set.
    pub feature_set: Document,
    /// Its features in column order.
    pub features: Vec<FeatureNote>,
    /// The expectation suite, if rows are checked.
    pub suite: Option<Document>,
    /// What is done with rows that fail it.
    pub policy: Policy,
    /// Seed of splits and orders.
    pub seed: Seed,
}

/// `groups/<name>/<version>.json`: a version of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// 1, 2, ...
    pub version: u32,
    /// When it was defined.
    pub time: Time,
    /// What it is.
    pub definition: GroupDefinition,
}

impl Group {
    /// Name and version.
    #[must_use]
    pub fn key(&self) -> GroupKey {
        GroupKey { name: self.definition.name.clone(), version: self.version }
    }
}
