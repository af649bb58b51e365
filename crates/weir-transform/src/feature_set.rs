//! Feature-set files: ordered features with everything a reader of a model has to know about them.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use toml::Spanned;
use weir_contract::feature::{Identifies, ScalerKind};
use weir_contract::{Classify, ExitCode, FlowBatch, Transport};

use crate::expression::{Expression, ExpressionError};

/// A checked feature set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Definition", into = "Definition")]
pub struct FeatureSet {
    definition: Definition,
    expressions: Vec<Expression>,
}

/// The content of a feature-set file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Definition {
    name: String,
    description: String,
    scaler: ScalerKind,
    rows: RowRules,
    features: Vec<FeatureSpec>,
}

/// Which flows a set is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowRules {
    /// Transports that are kept; empty keeps all.
    #[serde(default)]
    pub transport: Vec<Transport>,
}

impl RowRules {
    /// The rule that leaves a row out, in words, or `None` for a row that stays.
    #[must_use]
    pub fn excludes(&self, batch: &FlowBatch, row: usize) -> Option<&'static str> {
        let kept = self.transport.is_empty() || self.transport.contains(&batch.transport[row]);
        if kept { None } else { Some("transport is not in the feature set") }
    }
}

/// One feature of a set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSpec {
    /// Column name: lowercase letters, digits and `_`.
    pub name: String,
    /// The expression, see [`crate::expression`].
    pub expression: String,
    /// Unit of the values, `1` where there is none.
    pub unit: String,
    /// One line for people.
    pub description: String,
    /// What the feature identifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifies: Option<Identifies>,
    /// The value that stands for a null input; without one a null row is quarantined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<f64>,
}

/// Why a file is no feature set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}:{line}: {message}")]
pub struct FeatureSetError {
    /// The file.
    pub origin: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, with the feature's name where it is one feature's fault.
    pub message: String,
    /// The remedy.
    pub hint: Option<String>,
}

impl Classify for FeatureSetError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// The TOML file as it is written, with places for messages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    description: String,
    scaler: ScalerKind,
    #[serde(default)]
    rows: RowRules,
    feature: Vec<Spanned<FeatureSpec>>,
}

/// Columns of the feature table that are no features.
const RESERVED: [&str; 3] = ["flow_id", "event_time", "label"];

impl FeatureSet {
    /// Reads a feature set from TOML; `origin` names the file in messages.
    ///
    /// # Errors
    /// [`FeatureSetError`] with file, line and feature.
    pub fn parse(text: &str, origin: &str) -> Result<Self, FeatureSetError> {
        let error = |offset: usize, message: String, hint: Option<String>| {
            let line = text[..offset.min(text.len())].matches('\n').count() + 1;
            FeatureSetError { origin: origin.to_owned(), line, message, hint }
        };
        let file: File = toml::from_str(text)
            .map_err(|wrong| error(wrong.span().map_or(0, |span| span.start), wrong.message().to_owned(), None))?;
        let places: Vec<usize> = file.feature.iter().map(|feature| feature.span().start).collect();
        let definition = Definition {
            name: file.name,
            description: file.description,
            scaler: file.scaler,
            rows: file.rows,
            features: file.feature.into_iter().map(Spanned::into_inner).collect(),
        };
        Self::check(definition).map_err(|wrong| {
            let place = wrong.feature.map_or(0, |feature| places[feature]);
            error(place, wrong.message, wrong.hint)
        })
    }

    fn check(definition: Definition) -> Result<Self, Wrong> {
        if definition.features.is_empty() {
            return Err(Wrong {
                feature: None,
                message: "a feature set needs at least one feature".into(),
                hint: None,
            });
        }
        let mut names = HashSet::new();
        let mut expressions = Vec::with_capacity(definition.features.len());
        for (index, feature) in definition.features.iter().enumerate() {
            let name = &feature.name;
            let wrong = |message: String, hint: Option<String>| {
                Err(Wrong { feature: Some(index), message: format!("feature {name:?}: {message}"), hint })
            };
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || !name.chars().all(plain) {
                return wrong("a name is made of lowercase letters, digits and _".into(), None);
            }
            if RESERVED.contains(&name.as_str()) {
                return wrong("this name belongs to another column of the table".into(), Some("rename it".into()));
            }
            if !names.insert(name) {
                return wrong("the name is used twice".into(), Some("rename one of them".into()));
            }
            if feature.missing.is_some_and(|missing| !missing.is_finite()) {
                return wrong("missing must be a finite number".into(), None);
            }
            match Expression::parse(&feature.expression) {
                Ok(expression) => expressions.push(expression),
                Err(error @ ExpressionError { .. }) => return wrong(error.to_string(), error.hint),
            }
        }
        Ok(Self { definition, expressions })
    }

    /// The set's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// One line for people.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.definition.description
    }

    /// How models of this set scale.
    #[must_use]
    pub fn scaler(&self) -> ScalerKind {
        self.definition.scaler
    }

    /// Which flows the set is for.
    #[must_use]
    pub fn rows(&self) -> &RowRules {
        &self.definition.rows
    }

    /// The features, in column order.
    #[must_use]
    pub fn features(&self) -> &[FeatureSpec] {
        &self.definition.features
    }

    /// The parsed expressions, in column order.
    #[must_use]
    pub fn expressions(&self) -> &[Expression] {
        &self.expressions
    }

    /// Whether a feature depends on the flow ids of train.
    #[must_use]
    pub fn uses_flow_id(&self) -> bool {
        self.expressions.iter().any(Expression::uses_flow_id)
    }

    /// Whether a feature depends on the integer of an address.
    #[must_use]
    pub fn uses_address(&self) -> bool {
        self.expressions.iter().any(Expression::uses_address)
    }
}

/// What is wrong with a definition, and with which feature.
struct Wrong {
    feature: Option<usize>,
    message: String,
    hint: Option<String>,
}

impl TryFrom<Definition> for FeatureSet {
    type Error = String;

    fn try_from(definition: Definition) -> Result<Self, String> {
        Self::check(definition).map_err(|wrong| wrong.message)
    }
}

impl From<FeatureSet> for Definition {
    fn from(set: FeatureSet) -> Self {
        set.definition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "name = \"s\"\ndescription = \"d\"\nscaler = \"min-max\"\n";

    fn refusal(features: &str) -> String {
        let error = FeatureSet::parse(&format!("{HEAD}{features}"), "sets/s.toml").unwrap_err();
        format!("{error}{}", error.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())
    }

    fn feature(name: &str, expression: &str) -> String {
        format!("[[feature]]\nname = \"{name}\"\nexpression = \"{expression}\"\nunit = \"1\"\ndescription = \"\"\n")
    }

    #[test]
    fn shipped_sets_parse_and_carry_their_names() {
        for (name, text) in crate::SHIPPED {
            let set = FeatureSet::parse(text, name).unwrap();
            assert_eq!(set.name(), name);
            assert_eq!(set.uses_flow_id(), name == "report");
            assert_eq!(set.uses_address(), name != "no-identity");
        }
    }

    #[test]
    fn a_refusal_names_file_line_and_feature() {
        assert_eq!(
            refusal(&(feature("a", "bytes") + &feature("b", "bytes +"))),
            "sets/s.toml:9: feature \"b\": expected a number, a column, a function or \"(\" at character 8 of \"bytes +\""
        );
        assert!(refusal(&feature("label", "bytes")).contains(":4: feature \"label\": this name belongs to another"));
        assert!(refusal(&(feature("a", "bytes") + &feature("a", "bytes"))).contains(":9: feature \"a\": the name is"));
        assert!(refusal(&feature("a", "bites")).contains("the nearest known name is bytes"));
        assert!(refusal("feature = []").starts_with("sets/s.toml:1: a feature set needs at least one feature"));
        assert!(refusal("[[feature]]\nnmae = \"x\"\n").contains("unknown field `nmae`"));
    }

    #[test]
    fn json_round_trips() {
        let set = FeatureSet::parse(&format!("{HEAD}{}", feature("a", "bytes / 2")), "s").unwrap();
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(serde_json::from_str::<FeatureSet>(&json).unwrap(), set);
        assert!(serde_json::from_str::<FeatureSet>(&json.replace("bytes / 2", "bytes /")).is_err());
    }
}
