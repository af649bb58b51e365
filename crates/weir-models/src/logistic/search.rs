//! Many candidates on many folds: on each fold the candidates with one optimum are fitted once, and the values of C
//! follow one another upwards, each starting from the optimum of the one before.

use ndarray::ArrayView2;

use crate::context::{Context, FitError};
use crate::data::Dataset;
use crate::folds::Folds;
use crate::search::{Cell, Estimate, FamilySearch, Piece, Score};

use super::model::Logistic;
use super::newton::minimise;
use super::objective::Objective;
use super::params::{LogisticParams, Solver};

/// A search over optima: a piece is a path on a fold.
pub(crate) struct Search<'a> {
    candidates: Vec<LogisticParams>,
    paths: Vec<Path>,
    data: Dataset<'a>,
    folds: &'a Folds,
}

impl<'a> Search<'a> {
    /// # Errors
    /// [`FitError::OneClass`].
    pub(crate) fn new(candidates: Vec<LogisticParams>, data: Dataset<'a>, folds: &'a Folds) -> Result<Self, FitError> {
        super::refuse_one_class(data)?;
        Ok(Self { paths: paths(&candidates), candidates, data, folds })
    }
}

impl FamilySearch for Search<'_> {
    type Scratch = ();

    fn pieces(&self) -> Vec<Piece> {
        let bytes = self.data.rows() * self.data.features() * size_of::<f64>();
        let piece = |number: usize, path: &Path, fold: usize| {
            let first = &self.candidates[path.candidates[0]];
            let kind = if first.solver == Solver::Liblinear { "penalised intercept" } else { "free intercept" };
            Piece {
                name: format!("path {} ({kind}) fold={}", number + 1, fold + 1),
                cells: path.candidates.iter().map(|&candidate| Cell { candidate, fold }).collect(),
                estimate: Estimate { seconds: 0.0, bytes },
            }
        };
        let paths = || self.paths.iter().enumerate();
        (0..self.folds.len()).flat_map(|fold| paths().map(move |(number, path)| piece(number, path, fold))).collect()
    }

    fn scratch(&self, _bytes: usize) {}

    fn score(&self, piece: usize, _scratch: &mut (), context: &Context<'_>) -> Result<Vec<Score>, FitError> {
        context.check()?;
        let fold = &self.folds.folds()[piece / self.paths.len()];
        let (values, classes) = gather(self.data, &fold.train);
        let x = ArrayView2::from_shape((classes.len(), self.data.features()), &values).expect("a row per class");
        let train = Dataset::new(x, &classes);
        super::refuse_one_class(train)?;
        follow(&self.paths[piece % self.paths.len()], &self.candidates, train, self.data, &fold.test, context)
    }
}

/// Candidates in ascending C that differ in nothing else; those of equal C have one optimum.
struct Path {
    candidates: Vec<usize>,
}

fn paths(candidates: &[LogisticParams]) -> Vec<Path> {
    let penalises_intercept = |index: usize| candidates[index].solver == Solver::Liblinear;
    let mut paths: Vec<Path> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let same = |path: &&mut Path| {
            let first = path.candidates[0];
            penalises_intercept(first) == penalises_intercept(index)
                && candidates[first].tol == candidate.tol
                && candidates[first].max_iter == candidate.max_iter
        };
        match paths.iter_mut().find(same) {
            Some(path) => path.candidates.push(index),
            None => paths.push(Path { candidates: vec![index] }),
        }
    }
    for path in &mut paths {
        path.candidates.sort_by(|&a, &b| candidates[a].c.total_cmp(&candidates[b].c));
    }
    paths
}

fn follow(
    path: &Path,
    candidates: &[LogisticParams],
    train: Dataset<'_>,
    data: Dataset<'_>,
    test: &[u32],
    context: &Context<'_>,
) -> Result<Vec<Score>, FitError> {
    let mut scored = Vec::with_capacity(path.candidates.len());
    let mut coefficients = vec![0.0; train.features() + 1];
    let mut previous: Option<(f64, Score)> = None;
    for &index in &path.candidates {
        let params = &candidates[index];
        let score = match previous {
            Some((c, score)) if c == params.c => score,
            _ => {
                let objective = Objective::new(train, params.penalty());
                let minimum = minimise(&objective, coefficients, params.stop(), context)?;
                coefficients = minimum.coefficients;
                let model = Logistic::from_coefficients(coefficients.clone());
                Score { right: right(&model, data, test), converged: minimum.converged }
            }
        };
        previous = Some((params.c, score));
        scored.push(score);
        context.progress.advance(1);
    }
    Ok(scored)
}

/// Copies `rows` together: values `[rows, features]` and classes `[rows]`.
fn gather(data: Dataset<'_>, rows: &[u32]) -> (Vec<f64>, Vec<u8>) {
    let values = rows.iter().flat_map(|&row| data.row(row as usize)).copied().collect();
    let classes = rows.iter().map(|&row| data.classes()[row as usize]).collect();
    (values, classes)
}

fn right(model: &Logistic, data: Dataset<'_>, rows: &[u32]) -> u64 {
    let is_right = |&&row: &&u32| (model.decision(data.row(row as usize)) > 0.0) == (data.classes()[row as usize] == 1);
    rows.iter().filter(is_right).count() as u64
}
