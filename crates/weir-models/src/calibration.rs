//! Platt's sigmoid over decision values: from a signed distance to a probability.
//!
//! The sigmoid is fitted on decision values of rows that the deciding model was not trained on, those held out by the
//! folds of a cross-validation: on its own training rows a support vector machine is surer than it is right.
//!
//! Minimisation: Lin, Lin and Weng, "A note on Platt's probabilistic outputs for support vector machines" (2007),
//! appendix C, with its constants: Newton's method with backtracking over a and b.

use weir_contract::Calibration;

use crate::classifier::ModelParams;
use crate::context::{Context, FitError};
use crate::data::Dataset;
use crate::folds::Folds;

const ITERATIONS: usize = 100;
/// Added to the Hessian's diagonal.
const RIDGE: f64 = 1e-12;
const SHORTEST_STEP: f64 = 1e-10;
const TOLERANCE: f64 = 1e-5;

/// The calibration of models of `params`, from the rows of `data` that each of `folds` holds out; none for a family
/// whose scores are probabilities, and where the decision values of a class overflow.
///
/// Fits one model per fold. The result does not depend on the number of threads.
///
/// # Errors
/// [`FitError`] as fitting a model gives it.
pub fn calibrate(
    params: &ModelParams,
    data: Dataset<'_>,
    folds: &Folds,
    context: &Context<'_>,
) -> Result<Option<Calibration>, FitError> {
    let ModelParams::Svc(params) = params else { return Ok(None) };
    let decisions = params.held_out(data, folds, context)?;
    let (decisions, classes): (Vec<f64>, Vec<u8>) =
        decisions.into_iter().zip(data.classes()).filter(|(decision, _)| decision.is_finite()).unzip();
    Ok(sigmoid(&decisions, &classes))
}

/// Fits the sigmoid to `decisions`: `[n]`, finite, of rows of `classes`: `[n]`, 0 or 1. None without rows of both classes.
///
/// Targets are not 0 and 1 but those that Platt derives from the counts of the classes, so that a and b stay finite
/// where the decision values separate the classes.
#[must_use]
pub fn sigmoid(decisions: &[f64], classes: &[u8]) -> Option<Calibration> {
    let malicious = classes.iter().filter(|&&class| class == 1).count() as f64;
    let benign = classes.len() as f64 - malicious;
    if malicious == 0.0 || benign == 0.0 {
        return None;
    }
    let targets = [1.0 / (benign + 2.0), (malicious + 1.0) / (malicious + 2.0)];
    let rows = Rows { decisions, classes, targets };

    let mut at = Calibration { a: 0.0, b: libm::log((benign + 1.0) / (malicious + 1.0)) };
    let mut value = rows.objective(at);
    for _ in 0..ITERATIONS {
        let Slope { da, db, daa, dbb, dab } = rows.slope(at);
        if da.abs() < TOLERANCE && db.abs() < TOLERANCE {
            break;
        }
        let determinant = daa * dbb - dab * dab;
        let (step_a, step_b) = (-(dbb * da - dab * db) / determinant, -(daa * db - dab * da) / determinant);
        let descent = da * step_a + db * step_b;
        let mut length = 1.0;
        let next = loop {
            let next = Calibration { a: at.a + length * step_a, b: at.b + length * step_b };
            let found = rows.objective(next);
            if found < value + 1e-4 * length * descent {
                value = found;
                break Some(next);
            }
            length /= 2.0;
            if length < SHORTEST_STEP {
                break None;
            }
        };
        // No shorter step improves: this is as near as f64 comes.
        let Some(next) = next else { break };
        at = next;
    }
    Some(at)
}

/// What the sigmoid is fitted to.
struct Rows<'a> {
    decisions: &'a [f64],
    classes: &'a [u8],
    /// Wanted probability of a row of class 0 and of class 1.
    targets: [f64; 2],
}

/// Gradient and Hessian of the objective.
struct Slope {
    da: f64,
    db: f64,
    daa: f64,
    dbb: f64,
    dab: f64,
}

impl Rows<'_> {
    /// Decision value and wanted probability, row by row.
    fn iter(&self) -> impl Iterator<Item = (f64, f64)> {
        self.decisions.iter().zip(self.classes).map(|(&decision, &class)| (decision, self.targets[usize::from(class)]))
    }

    /// Negative log-likelihood; the exponent is never positive, so that nothing overflows.
    fn objective(&self, Calibration { a, b }: Calibration) -> f64 {
        self.iter().fold(0.0, |sum, (decision, target)| {
            let z = a * decision + b;
            let linear = if z >= 0.0 { target * z } else { (target - 1.0) * z };
            sum + linear + libm::log1p(libm::exp(-z.abs()))
        })
    }

    fn slope(&self, at: Calibration) -> Slope {
        let mut slope = Slope { da: 0.0, db: 0.0, daa: RIDGE, dbb: RIDGE, dab: 0.0 };
        for (decision, target) in self.iter() {
            let p = at.probability(decision);
            let (error, curvature) = (target - p, p * (1.0 - p));
            slope.da += decision * error;
            slope.db += error;
            slope.daa += decision * decision * curvature;
            slope.dbb += curvature;
            slope.dab += decision * curvature;
        }
        slope
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Axis};
    use weir_contract::{Family, ParamMap};

    use super::*;
    use crate::{Classifier, fit};

    /// Decision values that overlap, more of class 1.
    fn overlapping() -> (Vec<f64>, Vec<u8>) {
        let class = |row: usize| u8::from(row % 5 > 1);
        let decision = |row: usize| (row * 37 % 100) as f64 / 25.0 - 2.4 + f64::from(class(row));
        (0..200).map(|row| (decision(row), class(row))).unzip()
    }

    #[test]
    fn no_neighbouring_sigmoid_is_likelier() {
        let (decisions, classes) = overlapping();
        let found = sigmoid(&decisions, &classes).unwrap();
        assert!(found.a < 0.0, "a higher decision value speaks for class 1");
        let rows = Rows { decisions: &decisions, classes: &classes, targets: [1.0 / 82.0, 121.0 / 122.0] };
        let best = rows.objective(found);
        for (a, b) in [(1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-3), (0.0, -1e-3)] {
            assert!(rows.objective(Calibration { a: found.a + a, b: found.b + b }) > best);
        }
    }

    #[test]
    fn the_mean_probability_is_the_mean_target() {
        let (decisions, classes) = overlapping();
        let found = sigmoid(&decisions, &classes).unwrap();
        let mean = decisions.iter().map(|&decision| found.probability(decision)).sum::<f64>() / 200.0;
        let wanted = (80.0 / 82.0 + 120.0 * 121.0 / 122.0) / 200.0;
        assert!((mean - wanted).abs() < 1e-6, "{mean} instead of {wanted}");
    }

    #[test]
    fn classes_that_are_apart_have_a_finite_sigmoid() {
        let decisions: Vec<f64> = (0..40).map(|row| if row < 20 { -1.0 } else { 1e3 }).collect();
        let classes: Vec<u8> = (0..40).map(|row| u8::from(row >= 20)).collect();
        let found = sigmoid(&decisions, &classes).unwrap();
        assert!(found.a.is_finite() && found.b.is_finite());
        assert!(found.probability(-1.0) < 0.1 && found.probability(1e3) > 0.9);
    }

    #[test]
    fn one_class_has_no_sigmoid() {
        assert_eq!(sigmoid(&[0.5, 1.0], &[1, 1]), None);
        assert_eq!(sigmoid(&[], &[]), None);
    }

    #[test]
    fn held_out_rows_decide_and_only_for_scores_that_are_no_probabilities() {
        let y: Vec<u8> = (0..60).map(|row| u8::from(row % 3 == 0)).collect();
        let all = Array2::from_shape_fn((60, 2), |(row, column)| {
            (row * (7 + column) % 13) as f64 / 13.0 + f64::from(y[row]) * 0.4
        });
        let data = Dataset::new(all.view(), &y);
        let folds = Folds::stratified(&y, 3).unwrap();
        let calibrate = |family| {
            let params = ModelParams::from_map(family, &ParamMap::new()).unwrap();
            calibrate(&params, data, &folds, &Context::default()).unwrap()
        };
        assert_eq!(calibrate(Family::Knn), None);
        let found = calibrate(Family::Svc).unwrap();

        let mut decisions = vec![f64::NAN; 60];
        for fold in folds.folds() {
            let rows: Vec<usize> = fold.train.iter().map(|&row| row as usize).collect();
            let (x, y) = (all.select(Axis(0), &rows), rows.iter().map(|&row| y[row]).collect::<Vec<u8>>());
            let params = ModelParams::from_map(Family::Svc, &ParamMap::new()).unwrap();
            let model = fit(&params, Dataset::new(x.view(), &y), &Context::default()).unwrap().model;
            let predicted = model.predict(all.view());
            fold.test.iter().for_each(|&row| decisions[row as usize] = predicted.scores[row as usize]);
        }
        let wanted = sigmoid(&decisions, &y).unwrap();
        assert!((found.a - wanted.a).abs() < 1e-4 && (found.b - wanted.b).abs() < 1e-4, "{found:?} {wanted:?}");
    }
}
