//! Whether the parts of a bundle belong together. Writing and opening ask the same questions, so that no bundle is
//! written that does not open.

use std::path::Path;

use weir_contract::{Digest, FlowBatch, Label};
use weir_models::Classifier;

use crate::bundle::Bundle;
use crate::error::BundleError;
use crate::files::{DETECTOR, EXAMPLES, FEATURES, INFO, SIGNATURE};
use crate::info::Signature;

impl Bundle {
    /// Compares the parts; `transform` and `detector` are the digests of those two files.
    pub(crate) fn check(&self, dir: &Path, transform: Digest, detector: Digest) -> Result<(), BundleError> {
        let disagree = |name: &str, reason: String| {
            let path = if dir.as_os_str().is_empty() { name.into() } else { dir.join(name) };
            Err(BundleError::Disagree { path, reason })
        };
        let (info, set) = (&self.info, self.transform.set());
        let names = self.schema.names();

        for (what, said, found) in
            [("transform.json", info.transform, transform), ("detector.weir", info.detector, detector)]
        {
            if said != found {
                return disagree(INFO, format!("it was written for a {what} with digest {said}, not {found}"));
            }
        }
        if (info.classes, info.positive_class) != ([Label::Benign, Label::Malicious], Label::Malicious) {
            return disagree(INFO, "class 0 has to be benign and class 1 malicious, the positive one".to_owned());
        }
        let model = (self.detector.representation(), self.detector.model().family());
        for (representation, family) in
            [(info.representation, info.family), (info.trial.representation, info.trial.family)]
        {
            if model != (representation, family) {
                let found = format!("{}-{}", model.0, model.1);
                return disagree(INFO, format!("it names {representation}-{family}, the detector is {found}"));
            }
        }
        if info.score != self.detector.score_kind() {
            return disagree(INFO, "it names another kind of score than the detector gives".to_owned());
        }

        if self.schema.transform != transform {
            let said = self.schema.transform;
            return disagree(FEATURES, format!("it was written for a transform with digest {said}, not {transform}"));
        }
        if [&self.schema.feature_set, &info.feature_set] != [set.name(); 2] {
            let said = &self.schema.feature_set;
            return disagree(FEATURES, format!("it describes feature set {said:?}, the transform is {:?}", set.name()));
        }
        if !set.features().iter().map(|feature| feature.name.as_str()).eq(names.iter().copied()) {
            return disagree(FEATURES, "its features are not those of the transform, in that order".to_owned());
        }
        if self.detector.features() != names.len() {
            let width = self.detector.features();
            return disagree(DETECTOR, format!("it takes {width} features, features.json has {}", names.len()));
        }
        // Format 1 knew no probabilities.
        let probability = self.signature.format > 1 && info.has_probability();
        if self.signature != (Signature { format: self.signature.format, ..Signature::of(&names, probability) }) {
            return disagree(
                SIGNATURE,
                "its inputs are not the features, or its outputs not those of the detector".to_owned(),
            );
        }
        self.check_examples(&names).or_else(|reason| disagree(EXAMPLES, reason))
    }

    /// Whether this build computes for the example flows, to the bit, the features that the training data had: the
    /// one proof that a transform means here what it meant there.
    fn check_examples(&self, names: &[&str]) -> Result<(), String> {
        let examples = &self.examples;
        if !examples.names.iter().map(String::as_str).eq(names.iter().copied()) {
            return Err("its features are not those of features.json, in that order".to_owned());
        }
        let flows: FlowBatch = examples.examples.iter().map(|example| example.flow.clone()).collect();
        let features = self.transform.apply(&flows);
        for (row, example) in examples.examples.iter().enumerate() {
            if example.features.len() != names.len() {
                let received = example.features.len();
                return Err(format!("example {row} has {received} features instead of {}", names.len()));
            }
            for ((name, column), stored) in names.iter().zip(&features.columns).zip(&example.features) {
                let computed = column[row];
                if computed.to_bits() != stored.to_bits() {
                    return Err(format!("feature {name} of example {row} is {stored}, this build computes {computed}"));
                }
            }
        }
        Ok(())
    }
}
