//! The files that say what features are and what is expected of flows.

use std::fs;

use weir_contract::Digest;
use weir_expectations::Checked;
use weir_stage::Failure;
use weir_transform::FeatureSet;

use crate::params::FeaturesParams;

/// Feature set and expectation suite, with the digests of their texts.
pub(crate) struct Definitions {
    pub(crate) set: FeatureSet,
    pub(crate) set_text: String,
    pub(crate) suite: Checked,
    pub(crate) suite_text: String,
}

impl Definitions {
    /// Reads those that the parameters name.
    pub(crate) fn load(params: &FeaturesParams) -> Result<Self, Failure> {
        let (origin, set_text) = shipped_or_file("feature set", &params.feature_set, &weir_transform::SHIPPED)?;
        let set = FeatureSet::parse(&set_text, &origin)?;
        let (origin, suite_text) =
            shipped_or_file("expectation suite", &params.expectations, &weir_expectations::SHIPPED)?;
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
pub(crate) fn shipped_or_file(what: &str, name: &str, shipped: &[(&str, &str)]) -> Result<(String, String), Failure> {
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
