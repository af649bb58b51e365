//! Making the files of a bundle.

use std::fs;
use std::path::Path;

use serde::Serialize;
use weir_contract::feature::{Examples, FeatureSchema};
use weir_contract::{Calibration, Digest, Label, ParamMap, TrialId, json};
use weir_models::{Classifier, Detector};
use weir_transform::Transform;

use crate::bundle::Bundle;
use crate::error::BundleError;
use crate::files::{CARD, DETECTOR, EXAMPLES, FEATURES, INFO, REQUIRED, SIGNATURE, SUMS, SUMS_SIGNATURE, TRANSFORM};
use crate::info::{BundleInfo, FORMAT, Provenance, Signature};
use crate::name::BundleName;
use crate::sums::{self, Sums};

/// What a bundle is made of.
#[derive(Debug, Clone)]
pub struct BundleParts<'a> {
    /// Name of the bundle.
    pub name: &'a BundleName,
    /// The trial that is packaged.
    pub trial: TrialId,
    /// All parameters of the model, defaults included.
    pub parameters: &'a ParamMap,
    /// From flows to features.
    pub transform: &'a Transform,
    /// The features, in column order.
    pub schema: &'a FeatureSchema,
    /// From features to labels and scores.
    pub detector: &'a Detector,
    /// From decision values to probabilities, where the detector's scores are decision values.
    pub calibration: Option<Calibration>,
    /// A few flows with their features.
    pub examples: &'a Examples,
    /// The model card, in Markdown.
    pub card: &'a str,
    /// What the bundle is made from.
    pub provenance: &'a Provenance,
    /// Files for other programs, by name; none may have a name that is in [`crate::files`].
    pub others: &'a [(String, Vec<u8>)],
}

impl Bundle {
    /// The files of a bundle by name, sorted but for `SHA256SUMS`, which comes last: written in this order, a bundle
    /// that was not written to its end does not open. Same parts, same bytes.
    ///
    /// # Errors
    /// [`BundleError::Disagree`] for parts that would make a bundle that does not open.
    pub fn files(parts: &BundleParts<'_>) -> Result<Vec<(String, Vec<u8>)>, BundleError> {
        let (transform, detector) = (parts.transform.to_json(), parts.detector.to_bytes());
        let info = BundleInfo {
            format: FORMAT,
            name: parts.name.clone(),
            trial: parts.trial,
            family: parts.trial.family,
            representation: parts.trial.representation,
            parameters: parts.parameters.clone(),
            score: parts.detector.score_kind(),
            calibration: parts.calibration,
            classes: [Label::Benign, Label::Malicious],
            positive_class: Label::Malicious,
            feature_set: parts.schema.feature_set.clone(),
            transform: Digest::of(&transform),
            detector: Digest::of(&detector),
            provenance: parts.provenance.clone(),
        };
        let bundle = Self {
            signature: Signature::of(&parts.schema.names(), info.has_probability()),
            info,
            transform: parts.transform.clone(),
            schema: parts.schema.clone(),
            detector: parts.detector.clone(),
            examples: parts.examples.clone(),
            card: parts.card.to_owned(),
            digest: Digest::of(&[]),
        };
        bundle.check(Path::new(""), bundle.info.transform, bundle.info.detector)?;
        let mut files = vec![
            (INFO, canonical(INFO, &bundle.info)?),
            (TRANSFORM, transform),
            (FEATURES, canonical(FEATURES, &bundle.schema)?),
            (DETECTOR, detector),
            (SIGNATURE, canonical(SIGNATURE, &bundle.signature)?),
            (EXAMPLES, canonical(EXAMPLES, &bundle.examples)?),
            (CARD, bundle.card.into_bytes()),
        ];
        for (name, bytes) in parts.others {
            if [SUMS, SUMS_SIGNATURE].contains(&name.as_str()) || REQUIRED.contains(&name.as_str()) {
                let reason = "a file for other programs cannot have this name".to_owned();
                return Err(BundleError::Disagree { path: name.into(), reason });
            }
            files.push((name, bytes.clone()));
        }
        files.sort_by_key(|(name, _)| *name);
        let sums: Sums = files.iter().map(|(name, bytes)| ((*name).to_owned(), Digest::of(bytes))).collect();
        files.push((SUMS, sums::write(&sums).into_bytes()));
        Ok(files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect())
    }

    /// Writes [`Bundle::files`] into `dir`, which is created or empty, and opens the bundle.
    ///
    /// # Errors
    /// Those of [`Bundle::files`] and [`Bundle::open`]; [`BundleError::NotEmpty`]; [`BundleError::Io`] when writing
    /// fails.
    pub fn write(dir: impl AsRef<Path>, parts: &BundleParts<'_>) -> Result<Self, BundleError> {
        let dir = dir.as_ref();
        let files = Self::files(parts)?;
        fs::create_dir_all(dir).map_err(BundleError::io("create", dir))?;
        if fs::read_dir(dir).map_err(BundleError::io("list", dir))?.next().is_some() {
            return Err(BundleError::NotEmpty { dir: dir.to_owned() });
        }
        for (name, bytes) in files {
            let path = dir.join(name);
            fs::write(&path, bytes).map_err(BundleError::io("write", &path))?;
        }
        Self::open(dir)
    }
}

fn canonical(name: &str, value: &impl Serialize) -> Result<Vec<u8>, BundleError> {
    json::to_canonical(value).map_err(|error| BundleError::corrupt(Path::new(name), error))
}
