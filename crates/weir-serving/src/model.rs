//! A bundle that is being served.

use weir_bundle::Bundle;
use weir_models::Classifier;

use crate::metrics::Meters;

/// An opened bundle and what requests need of it again and again.
#[derive(Debug)]
pub(crate) struct Model {
    /// Its name in URLs.
    pub(crate) name: String,
    /// Its version: the first digits of the bundle's digest.
    pub(crate) version: String,
    pub(crate) bundle: Bundle,
    pub(crate) meters: Meters,
    /// Nominal operations per row.
    operations: u64,
}

impl Model {
    pub(crate) fn new(name: &str, bundle: Bundle, meters: Meters) -> Self {
        Self {
            name: name.to_owned(),
            version: bundle.digest().short().to_string(),
            operations: bundle.detector().operations(),
            bundle,
            meters,
        }
    }

    /// Number of features of a row.
    pub(crate) fn width(&self) -> usize {
        self.bundle.schema().features.len()
    }

    /// Nominal operations to predict `rows` rows.
    pub(crate) fn cost(&self, rows: usize) -> u64 {
        self.operations.saturating_mul(rows as u64)
    }

    /// Number of the feature with this name.
    pub(crate) fn feature(&self, name: &str) -> Option<usize> {
        self.bundle.schema().features.iter().position(|feature| feature.name == name)
    }
}
