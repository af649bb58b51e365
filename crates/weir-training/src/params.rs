//! Parameters of the stage: sections `[training]` and `[autoencoder]`.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};
use weir_contract::parameter::{Grid, expand};
use weir_contract::{Family, ParamMap, ParamValue, Seed};
use weir_models::ModelParams;
use weir_models::autoencoder::AutoencoderParams;
use weir_stage::Failure;

/// Section `[training]` of a parameter file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingParams {
    /// Stratified folds of the cross-validation.
    #[validate(range(min = 2, max = 100))]
    pub folds: usize,
    /// What each family's search tries.
    pub grid: Grids,
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
        Self { folds: 3, grid: Grids::default() }
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

    /// The candidates of a family in ParameterGrid order: what the grid sets, and the checked parameters.
    ///
    /// # Errors
    /// [`Failure`] of usage that names the grid and the parameter, or an empty list of values.
    pub fn candidates(&self, family: Family) -> Result<Vec<(ParamMap, ModelParams)>, Failure> {
        let grid = self.of(family);
        let place = format!("training.grid.{family}");
        if let Some((name, _)) = grid.iter().find(|(_, values)| values.is_empty()) {
            let hint = "name at least one value, or leave the parameter out to keep its default";
            return Err(Failure::usage(format!("{place}: {name} has no values")).hint(hint));
        }
        let check = |given: ParamMap| match ModelParams::from_map(family, &given) {
            Ok(params) => Ok((given, params)),
            Err(error) => Err(Failure::usage(format!("{place}: {error}"))),
        };
        expand(grid).into_iter().map(check).collect()
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
    fn the_reports_grids_have_27_9_12_and_24_candidates() {
        let grids = Grids::default();
        let count = |family| grids.candidates(family).unwrap().len();
        assert_eq!(Family::ALL.iter().map(|&family| count(family)).collect::<Vec<_>>(), [27, 9, 12, 24]);
    }

    #[test]
    fn a_grid_that_does_not_hold_is_refused_by_name() {
        let refusal = |set: &str| {
            let params = Params::load(None, DEFAULT_PARAMS, &[set.to_owned()]).unwrap();
            params.section::<TrainingParams>("training").unwrap().grid.candidates(Family::Knn).unwrap_err().message
        };
        assert!(refusal("training.grid.knn.n_neighbors=[0]").starts_with("training.grid.knn: "));
        assert!(refusal("training.grid.knn.n_neighbors=[]").contains("n_neighbors has no values"));
        assert!(refusal("training.grid.knn.neighbours=[3]").contains("neighbours"));
    }
}
