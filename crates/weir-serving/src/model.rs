//! A bundle that is being served.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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
    /// What a row took lately to predict, ns.
    nanoseconds: AtomicU64,
}

impl Model {
    pub(crate) fn new(name: &str, bundle: Bundle, meters: Meters) -> Self {
        Self {
            name: name.to_owned(),
            version: bundle.digest().short().to_string(),
            // A first guess; what is measured counts.
            nanoseconds: AtomicU64::new(bundle.detector().operations() / 4),
            bundle,
            meters,
        }
    }

    /// Number of features of a row.
    pub(crate) fn width(&self) -> usize {
        self.bundle.schema().features.len()
    }

    /// What `rows` rows will take to predict.
    pub(crate) fn expected(&self, rows: usize) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed).saturating_mul(rows as u64))
    }

    /// Learns what `rows` rows took.
    pub(crate) fn took(&self, rows: usize, elapsed: Duration) {
        if let Some(row) = (elapsed.as_nanos() as u64).checked_div(rows as u64) {
            let before = self.nanoseconds.load(Ordering::Relaxed);
            self.nanoseconds.store((before * 7 + row) / 8, Ordering::Relaxed);
        }
    }

    /// Number of the feature with this name.
    pub(crate) fn feature(&self, name: &str) -> Option<usize> {
        self.bundle.schema().features.iter().position(|feature| feature.name == name)
    }
}
