//! Labels of flows that come in files of their own, and which of them wins.
//!
//! A file is either a table with the header `flow_id,label` or `flow_id,label,attack` (commas or tabs), or rules in
//! TOML; which of them, its first line tells. `label` is `benign` or `malicious`.
//!
//! ```toml
//! default = "benign"              # optional: for flows that have no label otherwise
//!
//! [[rule]]                        # the first rule whose conditions all hold decides
//! source = ["192.0.2.0/24", "2001:db8::7"]
//! destination = "198.51.100.7"
//! either = "203.0.113.0/24"       # source or destination
//! source_port = "1024-65535"
//! destination_port = [22, "8000-8080"]
//! transport = ["tcp", "udp"]
//! from = 2021-05-01T08:00:00Z     # event time, included
//! to = 2021-05-01T09:30:00Z       # excluded
//! label = "malicious"
//! attack = "brute-force"
//! ```
//!
//! Which label wins:
//! - A later commit wins over an earlier one, any commit over what the source said.
//! - Within a commit a flow id wins over rules, and among rules the first that matches.
//! - A `default` is for flows that have no label at all: neither from their source nor from any commit. The latest
//!   wins.
//! - A flow that nothing matches keeps what it has. `benign` takes the attack away; `malicious` without an attack
//!   leaves a malicious flow the one it has.
//!
//! A flow without a value (no port, no event time, no id) does not match a condition on it. Addresses match as they
//! are written: no IPv4 rule matches an IPv6 address.

mod address;
mod apply;
mod error;
mod ids;
mod rules;

pub use apply::{Applied, LayerApplied};
pub use error::LabelError;

use std::collections::HashMap;

use weir_contract::Label;

use crate::LabelKind;
use rules::Rule;

/// What a file or rule says of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) label: Label,
    pub(crate) attack: Option<String>,
}

/// The labels of a snapshot, ready to be applied; see the module for which wins.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// One per label commit, the earliest first.
    layers: Vec<Layer>,
}

/// The labels of one commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layer {
    ids: HashMap<String, Verdict>,
    rules: Vec<Rule>,
    default: Option<Label>,
    contents: Vec<(LabelKind, u64)>,
}

impl Labels {
    pub(crate) fn new(layers: Vec<Layer>) -> Self {
        Self { layers }
    }

    /// The labels of files that count as one commit, each with its name for errors.
    ///
    /// # Errors
    /// [`LabelError`] naming file, line and rule.
    pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, LabelError> {
        Ok(Self { layers: vec![Layer::parse(files)?] })
    }

    /// Whether there is nothing to apply.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }
}

impl Layer {
    pub(crate) fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, LabelError> {
        let mut layer = Self::default();
        for (name, bytes) in files {
            let text = std::str::from_utf8(bytes).map_err(|error| {
                let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
                LabelError::new(name, line as u64, "the text is not UTF-8")
            })?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            let content = if ids::is_table(text) {
                (LabelKind::Ids, ids::read(name, text, &mut layer.ids)?)
            } else {
                let (rules, default) = rules::read(name, text)?;
                // The first file that has a default decides, as the first rule does.
                layer.default = layer.default.or(default);
                let entries = rules.len() as u64;
                layer.rules.extend(rules);
                (LabelKind::Rules, entries)
            };
            layer.contents.push(content);
        }
        Ok(layer)
    }

    /// Form and number of entries of each file.
    pub(crate) fn contents(&self) -> Vec<(LabelKind, u64)> {
        self.contents.clone()
    }
}
