//! Parameters of the stage: sections `[training]` and `[autoencoder]`.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};
use weir_contract::parameter::Grid;
use weir_contract::{Family, ParamMap, ParamValue, Seed};
use weir_models::autoencoder::AutoencoderParams;
use weir_stage::Failure;

use crate::random::RandomParams;

/// Section `[training]` of a parameter file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingParams {
    /// Stratified folds of the cross-validation.
    #[validate(range(min = 2, max = 100))]
    pub folds: usize,
    /// How candidates are compared.
    pub search: Strategy,
    /// Parts of train on which candidates are compared before all of it: of halving, and of a search under a budget.
    #[validate(nested)]
    pub rungs: RungParams,
    /// What each family's search tries.
    pub grid: Grids,
    /// Candidates drawn at random instead, for the families that have a table there.
    #[validate(nested)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random: Option<RandomParams>,
}

/// How candidates are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// Every candidate on all rows of train.
    #[default]
    Grid,
    /// Every candidate on few rows, the best of them on more, until the last few are compared on all rows: successive
    /// halving (Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", 2016).
    Halving,
}

/// Section `[training.rungs]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct RungParams {
    /// A rung has this many times the rows of the one before, and with halving one candidate of this many goes on.
    #[validate(range(min = 2, max = 10))]
    pub factor: usize,
    /// Rows of the smallest rung.
    #[validate(range(min = 100))]
    pub min_rows: usize,
}

/// The grid of every family; a family that is left out has the report's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Grids {
    /// C-support vector classification.
    pub svc: Grid,
    /// Logistic regression.
    pub logistic_regression: Grid,
    /// k nearest neighbours.
    pub knn: Grid,
    /// Decision tree.
    pub decision_tree: Grid,
}

impl Default for TrainingParams {
    fn default() -> Self {
        let (search, rungs, grid) = (Strategy::default(), RungParams::default(), Grids::default());
        Self { folds: 3, search, rungs, grid, random: None }
    }
}

impl Default for RungParams {
    fn default() -> Self {
        Self { factor: 3, min_rows: 1000 }
    }
}

impl Default for Grids {
    /// The grids of the report.
    fn default() -> Self {
        let floats = |values: &[f64]| values.iter().map(|&value| number(value)).collect::<Vec<_>>();
        let texts = |values: &[&str]| values.iter().map(|&value| ParamValue::Text(value.to_owned())).collect();
        let grid = |entries: Vec<(&str, Vec<ParamValue>)>| {
            entries.into_iter().map(|(name, values)| (name.to_owned(), values)).collect()
        };
        Self {
            svc: grid(vec![
                ("C", floats(&[0.1, 1.0, 10.0])),
                ("gamma", floats(&[1.0, 0.1, 0.01])),
                ("kernel", texts(&["rbf", "poly", "sigmoid"])),
            ]),
            logistic_regression: grid(vec![
                ("C", floats(&[0.1, 1.0, 10.0])),
                ("solver", texts(&["newton-cg", "lbfgs", "liblinear"])),
            ]),
            knn: grid(vec![
                ("n_neighbors", floats(&[3.0, 5.0, 11.0])),
                ("weights", texts(&["uniform", "distance"])),
                ("metric", texts(&["euclidean", "manhattan"])),
            ]),
            decision_tree: grid(vec![
                ("criterion", texts(&["gini", "entropy"])),
                ("max_depth", floats(&[3.0, 5.0, 10.0, 20.0])),
                ("min_samples_leaf", floats(&[1.0, 2.0, 4.0])),
            ]),
        }
    }
}

/// A whole number stays whole.
fn number(value: f64) -> ParamValue {
    if value.fract() == 0.0 { ParamValue::Int(value as i64) } else { ParamValue::Float(value) }
}

impl Grids {
    /// The grid of a family.
    #[must_use]
    pub fn of(&self, family: Family) -> &Grid {
        match family {
            Family::Svc => &self.svc,
            Family::LogisticRegression => &self.logistic_regression,
            Family::Knn => &self.knn,
            Family::DecisionTree => &self.decision_tree,
        }
    }
}

/// Section `[autoencoder]` of a parameter file, before [`AutoencoderSection::params`] checks it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct AutoencoderSection(ParamMap);

impl Validate for AutoencoderSection {
    /// Nothing here: the model's own parameters check ranges, with their own messages.
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

impl AutoencoderSection {
    /// The checked parameters.
    ///
    /// # Errors
    /// [`Failure`] of usage that names the parameter.
    pub fn params(&self, seed: Seed) -> Result<AutoencoderParams, Failure> {
        let params = AutoencoderParams::from_map(&self.0);
        params.map(|params| params.with_seed(seed)).map_err(|error| Failure::usage(format!("[autoencoder]: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_stage::{DEFAULT_PARAMS, Params};

    /// The shipped file shows the defaults; a value that differs would be a lie in one of the two.
    #[test]
    fn the_shipped_parameters_are_the_defaults() {
        let shipped = Params::load(None, DEFAULT_PARAMS, &[]).unwrap();
        assert_eq!(shipped.section::<TrainingParams>("training").unwrap(), TrainingParams::default());
        let section: AutoencoderSection = shipped.section("autoencoder").unwrap();
        assert_eq!(section.params(Seed::default()).unwrap(), AutoencoderParams::default());
    }

    #[test]
    fn rungs_and_strategy_are_refused_out_of_their_range() {
        let refusal = |set: &str| {
            let params = Params::load(None, DEFAULT_PARAMS, &[set.to_owned()]).unwrap();
            params.section::<TrainingParams>("training").unwrap_err().message
        };
        assert!(refusal("training.rungs.factor=1").contains("training.rungs.factor: expected at least 2"));
        assert!(refusal("training.search=quartering").contains("expected one of grid, halving"));
        assert!(refusal("training.random.samples=0").contains("training.random.samples: expected at least 1"));
    }
}
