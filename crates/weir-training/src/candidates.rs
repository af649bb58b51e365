//! What a search tries: the combinations of a grid, or draws from ranges.

use weir_contract::parameter::{Grid, expand};
use weir_contract::{Family, ParamMap, Seed};
use weir_models::ModelParams;
use weir_stage::Failure;

use crate::params::TrainingParams;

/// The candidates of a family, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    /// What grid or draw set.
    pub(crate) given: Vec<ParamMap>,
    /// The same, checked, with defaults.
    pub(crate) params: Vec<ModelParams>,
    /// The earlier candidate that is the same computation, where there is one.
    pub(crate) same_as: Vec<Option<usize>>,
}

impl Candidates {
    /// The candidates of `family` that `params` ask for.
    ///
    /// # Errors
    /// [`Failure`] of usage that names the place and the parameter, a list without values or a range that holds nothing.
    pub fn new(params: &TrainingParams, family: Family, seed: Seed) -> Result<Self, Failure> {
        match params.random.as_ref().and_then(|random| Some((random, random.of(family)?))) {
            Some((random, space)) => {
                let place = format!("training.random.{family}");
                let drawn = space.draw(random.samples, family, seed);
                Self::checked(family, &place, drawn.map_err(|error| error.context(&place))?)
            }
            None => {
                let place = format!("training.grid.{family}");
                let grid = params.grid.of(family);
                refuse_empty(grid, &place)?;
                Self::checked(family, &place, expand(grid))
            }
        }
    }

    fn checked(family: Family, place: &str, given: Vec<ParamMap>) -> Result<Self, Failure> {
        let check = |map: &ParamMap| {
            ModelParams::from_map(family, map).map_err(|error| Failure::usage(format!("{place}: {error}")))
        };
        let params: Vec<ModelParams> = given.iter().map(check).collect::<Result<_, _>>()?;
        let computations: Vec<ModelParams> = params.iter().map(ModelParams::computation).collect();
        let earlier = |index: usize| computations[..index].iter().position(|earlier| *earlier == computations[index]);
        let same_as = (0..given.len()).map(earlier).collect();
        Ok(Self { given, params, same_as })
    }

    /// Number of candidates.
    pub(crate) fn len(&self) -> usize {
        self.given.len()
    }

    /// The candidates that are not the computation of an earlier one.
    pub(crate) fn computations(&self) -> Vec<usize> {
        (0..self.len()).filter(|&index| self.same_as[index].is_none()).collect()
    }
}

fn refuse_empty(grid: &Grid, place: &str) -> Result<(), Failure> {
    let Some((name, _)) = grid.iter().find(|(_, values)| values.is_empty()) else { return Ok(()) };
    let hint = "name at least one value, or leave the parameter out to keep its default";
    Err(Failure::usage(format!("{place}: {name} has no values")).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_stage::{DEFAULT_PARAMS, Params};

    fn candidates(family: Family, sets: &[&str]) -> Result<Candidates, Failure> {
        let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
        let params = Params::load(None, DEFAULT_PARAMS, &sets).unwrap();
        Candidates::new(&params.section("training").unwrap(), family, Seed::default())
    }

    #[test]
    fn the_reports_grids_have_27_9_12_and_24_candidates() {
        let count = |&family: &Family| candidates(family, &[]).unwrap().len();
        assert_eq!(Family::ALL.iter().map(count).collect::<Vec<_>>(), [27, 9, 12, 24]);
    }

    #[test]
    fn two_solvers_with_one_optimum_are_one_computation() {
        let candidates = candidates(Family::LogisticRegression, &["training.grid.logistic-regression.C=[1]"]).unwrap();
        assert_eq!(candidates.same_as, [None, Some(0), None]);
        assert_eq!(candidates.computations(), [0, 2]);
    }

    #[test]
    fn what_does_not_hold_is_refused_by_name() {
        let refusal = |set: &str| candidates(Family::Knn, &[set]).unwrap_err().message;
        assert!(refusal("training.grid.knn.n_neighbors=[0]").starts_with("training.grid.knn: "));
        assert!(refusal("training.grid.knn.n_neighbors=[]").contains("n_neighbors has no values"));
        assert!(refusal("training.grid.knn.neighbours=[3]").contains("neighbours"));
        assert!(refusal("training.random.knn.neighbours=[3]").starts_with("training.random.knn: "));
        let empty = refusal("training.random.knn.n_neighbors={from=9, to=3}");
        assert!(empty.contains("n_neighbors: from 9 to 3 holds nothing"), "{empty}");
    }
}
