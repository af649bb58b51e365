//! The files that say what features are and what is expected of flows.

use std::fs;

use weir_contract::Digest;
use weir_expectations::Checked;
use weir_stage::Failure;
use weir_transform::FeatureSet;

use crate::params::FeaturesParams;

/// Texts of a feature set and a suite that lie elsewhere than in files, each with what to call it in messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Documents {
    /// The feature set.
    pub feature_set: Option<(String, String)>,
    /// The expectation suite.
    pub expectations: Option<(String, String)>,
}

/// Feature set and expectation suite, with the digests of their texts.
pub(crate) struct Definitions {
    pub(crate) set: FeatureSet,
    pub(crate) set_text: String,
    pub(crate) suite: Checked,
    pub(crate) suite_text: String,
}

impl Definitions {
    /// Takes the documents given, and otherwise those that the parameters name.
    pub(crate) fn load(params: &FeaturesParams, documents: &Documents) -> Result<Self, Failure> {
        let named = || shipped_or_file("feature set", &params.feature_set, &weir_transform::SHIPPED);
        let (origin, set_text) = documents.feature_set.clone().map_or_else(named, Ok)?;
        let set = FeatureSet::parse(&set_text, &origin)?;
        let named = || shipped_or_file("expectation suite", &params.expectations, &weir_expectations::SHIPPED);
        let (origin, suite_text) = documents.expectations.clone().map_or_else(named, Ok)?;
        let suite = Checked::parse(&suite_text, &origin)?;
        Ok(Self { set, set_text, suite, suite_text })
    }

    /// The digests by their roles in a manifest.
    pub(crate) fn digests(&self) -> [(String, Digest); 2] {
        [
            ("feature-set".to_owned(), Digest::of(self.set_text.as_bytes())),
            ("expectations".to_owned(), Digest::of(self.suite_text.as_bytes())),
        ]
    }
}

/// The text behind a shipped name, or of the file at that path, with what to call it in messages.
///
/// # Errors
/// [`Failure`] of usage for a name that is neither.
pub fn shipped_or_file(what: &str, name: &str, shipped: &[(&str, &str)]) -> Result<(String, String), Failure> {
    if let Some((_, text)) = shipped.iter().find(|(known, _)| *known == name) {
        return Ok((name.to_owned(), (*text).to_owned()));
    }
    match fs::read_to_string(name) {
        Ok(text) => Ok((name.to_owned(), text)),
        Err(error) => {
            let known: Vec<&str> = shipped.iter().map(|(known, _)| *known).collect();
            Err(Failure::usage(format!("{what} {name:?} is neither shipped nor a file: {error}"))
                .hint(format!("name a file, or one of {}", known.join(", "))))
        }
    }
}
