//! Model families, representations, trials, and the parameters a candidate is made of.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name that is not among the known ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {received:?}; known are {known}")]
pub struct UnknownName {
    /// What was to be named.
    pub what: &'static str,
    /// What was given.
    pub received: String,
    /// The known names, separated by commas.
    pub known: String,
}

macro_rules! named {
    ($(#[$doc:meta])* $type:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident => $name:literal, $title:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $type {
            $($(#[$vdoc])* #[serde(rename = $name)] $variant,)+
        }

        impl $type {
            /// All of them, in the order of the report.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name used in files, folders and on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The name used in text for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                Self::ALL.iter().copied().find(|known| known.name() == text).ok_or_else(|| UnknownName {
                    what: $what,
                    received: text.to_owned(),
                    known: Self::ALL.iter().map(|known| known.name()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

named! {
    /// A model family.
    Family, "model" {
        /// C-support vector classification.
        Svc => "svc", "SVC";
        /// Logistic regression.
        LogisticRegression => "logistic-regression", "Logistic regression";
        /// k nearest neighbours.
        Knn => "knn", "KNN";
        /// Decision tree.
        DecisionTree => "decision-tree", "Decision tree";
    }
}

named! {
    /// What a model sees of a flow.
    Representation, "representation" {
        /// The features themselves.
        Baseline => "baseline", "Baseline";
        /// The latent space of the autoencoder.
        Autoencoder => "autoencoder", "Autoencoder";
    }
}

named! {
    /// How a trial came by its parameters.
    Setting, "setting" {
        /// The family's default parameters.
        Default => "default", "Default";
        /// The best candidate of the search.
        Best => "best", "Grid search";
    }
}

/// A trial: the default or the best fit of a family on a representation, written `baseline-knn-best`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrialId {
    /// What the model sees.
    pub representation: Representation,
    /// The model family.
    pub family: Family,
    /// Default or best.
    pub setting: Setting,
}

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.representation, self.family, self.setting)
    }
}

impl FromStr for TrialId {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let error = || UnknownName {
            what: "trial",
            received: text.to_owned(),
            known: "<representation>-<model>-<setting>, like baseline-knn-best".to_owned(),
        };
        let (rest, setting) = text.rsplit_once('-').ok_or_else(error)?;
        let (representation, family) = rest.split_once('-').ok_or_else(error)?;
        Ok(Self { representation: representation.parse()?, family: family.parse()?, setting: setting.parse()? })
    }
}

impl TryFrom<String> for TrialId {
    type Error = UnknownName;

    fn try_from(text: String) -> Result<Self, UnknownName> {
        text.parse()
    }
}

impl From<TrialId> for String {
    fn from(id: TrialId) -> Self {
        id.to_string()
    }
}

/// One parameter's value. Whole numbers stay whole, so that `C: 1` is not written `C: 1.0`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// Not set, as `max_depth = None` of an unlimited tree; in TOML the text `"none"`.
    None,
    /// true or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// A name such as `rbf`.
    Text(String),
}

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
        }
    }
}

/// Parameters by scikit-learn's names, sorted by name.
pub type ParamMap = BTreeMap<String, ParamValue>;

/// A grid: for each parameter the values to try.
pub type Grid = BTreeMap<String, Vec<ParamValue>>;

/// Every combination of a grid in scikit-learn's ParameterGrid order: names sorted, the last varies fastest.
///
/// An empty grid has one combination, the empty one; a parameter without values leaves none.
#[must_use]
pub fn expand(grid: &Grid) -> Vec<ParamMap> {
    let mut combinations = vec![ParamMap::new()];
    for (name, values) in grid {
        combinations = combinations
            .iter()
            .flat_map(|combination| {
                values.iter().map(|value| {
                    let mut next = combination.clone();
                    next.insert(name.clone(), value.clone());
                    next
                })
            })
            .collect();
    }
    combinations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_expands_in_parameter_grid_order() {
        let grid = Grid::from([
            ("gamma".to_owned(), vec![ParamValue::Int(1), ParamValue::Float(0.1)]),
            ("C".to_owned(), vec![ParamValue::Float(0.1), ParamValue::Int(10)]),
        ]);
        let order: Vec<String> =
            expand(&grid).iter().map(|candidate| format!("{} {}", candidate["C"], candidate["gamma"])).collect();
        assert_eq!(order, ["0.1 1", "0.1 0.1", "10 1", "10 0.1"]);
    }

    #[test]
    fn trial_ids_round_trip() {
        for &representation in Representation::ALL {
            for &family in Family::ALL {
                for &setting in Setting::ALL {
                    let id = TrialId { representation, family, setting };
                    assert_eq!(id.to_string().parse(), Ok(id));
                }
            }
        }
        assert!("baseline-forest-best".parse::<TrialId>().is_err());
    }
}
