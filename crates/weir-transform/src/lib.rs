//! Feature sets: expressions over canonical flows that give f64 columns.
//!
//! The only implementation of every feature. The batch stage and the predictor both call [`Transform::apply`], so that
//! training and serving cannot compute a feature in two ways.
//!
//! A feature set is a TOML file ([`FeatureSet::parse`]): ordered features, each with an [`expression`] in a small
//! vocabulary, a unit, a description and what it identifies. What a set learns from train (only the ranks of flow
//! ids) makes it a [`Transform`], which has a JSON form.
//!
//! This crate does not know polars, files or models.

pub mod address;
pub mod expression;
pub mod feature_set;
pub mod flow_id;
pub mod transform;

pub use expression::Expression;
pub use feature_set::{FeatureSet, FeatureSetError, FeatureSpec, RowRules};
pub use flow_id::FlowIds;
pub use transform::{Features, Refused, Transform, TransformError};

/// The feature sets that ship with Weir, as (name, TOML).
pub const SHIPPED: [(&str, &str); 3] = [
    ("default", include_str!("../../../pipeline/feature-sets/default.toml")),
    ("report", include_str!("../../../pipeline/feature-sets/report.toml")),
    ("no-identity", include_str!("../../../pipeline/feature-sets/no-identity.toml")),
];

/// The text of a shipped feature set.
#[must_use]
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
