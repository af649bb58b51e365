//! Many candidates on many folds: on each fold the candidates with one optimum are fitted once, and the values of C
//! follow one another upwards, each starting from the optimum of the one before.

use crate::context::{Context, FitError};
use crate::data::Dataset;
use crate::folds::Folds;
use crate::search::{Cell, Estimate, FamilySearch, Piece, Score};

use super::newton::minimise;
use super::objective::{Objective, right};
use super::params::{LogisticParams, Solver};
use super::start;
use super::tiles::{Rows, Tiles};

/// A search over optima: a piece is a path on a fold.
pub(crate) struct Search<'a> {
    candidates: Vec<LogisticParams>,
    paths: Vec<Path>,
    tiles: Tiles<'a>,
    folds: usize,
}

impl<'a> Search<'a> {
    /// # Errors
    /// [`FitError::OneClass`].
    pub(crate) fn new(candidates: Vec<LogisticParams>, data: Dataset<'a>, folds: &'a Folds) -> Result<Self, FitError> {
        let tiles = Tiles::by_fold(data, folds);
        super::refuse_one_class(tiles.all_but(None).classes())?;
        Ok(Self { paths: paths(&candidates), candidates, tiles, folds: folds.len() })
    }
}

impl FamilySearch for Search<'_> {
    type Scratch = ();

    fn pieces(&self) -> Vec<Piece> {
        let piece = |number: usize, path: &Path, fold: usize| {
            let first = &self.candidates[path.candidates[0]];
            let kind = if first.solver == Solver::Liblinear { "penalised intercept" } else { "free intercept" };
            let cells = path.candidates.iter().map(|&candidate| Cell { candidate, fold }).collect();
            let estimate = self.estimate(path, fold);
            Piece { name: format!("path {} ({kind}) fold={}", number + 1, fold + 1), cells, estimate }
        };
        let paths = || self.paths.iter().enumerate();
        (0..self.folds).flat_map(|fold| paths().map(move |(number, path)| piece(number, path, fold))).collect()
    }

    fn scratch(&self, _bytes: usize) {}

    fn score(&self, piece: usize, _scratch: &mut (), context: &Context<'_>) -> Result<Vec<Score>, FitError> {
        context.check()?;
        let fold = piece / self.paths.len();
        let train = self.tiles.all_but(Some(fold));
        super::refuse_one_class(train.classes())?;
        follow(&self.paths[piece % self.paths.len()], &self.candidates, &train, &self.tiles.part(fold), context)
    }
}

impl Search<'_> {
    /// Measured in November 2026 on one core of a Sapphire Rapids with AVX-512, with the report's grid on 33,236 rows of
    /// 5 to 100 features: a pass costs `3 + 0.25 k + 0.045 k^2` ns per row for k coefficients (11 ns for 10 features, and
    /// the same for a million and for ten million rows), a third more with AVX2 alone, twice as much without; a path
    /// takes four passes for each C. Where k is large, the Cholesky factor of `[k, k]` takes `0.3 k^3` ns more. The
    /// bytes are those of the layout, which all pieces share, and of the sums of the blocks.
    fn estimate(&self, path: &Path, fold: usize) -> Estimate {
        let train = self.tiles.all_but(Some(fold));
        let optima = path.candidates.chunk_by(|&a, &b| self.candidates[a].c == self.candidates[b].c).count();
        let (rows, k) = (train.len() as f64, (train.features() + 1) as f64);
        let pass = rows * (3.0 + 0.25 * k + 0.045 * k * k) + 0.3 * k * k * k;
        Estimate { seconds: 4.0 * optima as f64 * pass * 1e-9, bytes: self.tiles.bytes() }
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
    train: &Rows<'_>,
    held_out: &Rows<'_>,
    context: &Context<'_>,
) -> Result<Vec<Score>, FitError> {
    let mut scored = Vec::with_capacity(path.candidates.len());
    let mut last = None;
    let mut previous: Option<(f64, Score)> = None;
    for &index in &path.candidates {
        let params = &candidates[index];
        let score = match previous {
            Some((c, score)) if c == params.c => score,
            _ => {
                let objective = Objective { rows: train, penalty: params.penalty(), simd: context.simd };
                let start = match last.take() {
                    Some(point) => point,
                    None => start::near(&objective, context)?,
                };
                let minimum = minimise(&objective, start, params.stop(), context)?;
                last = Some(minimum.last);
                let right = right(held_out, &minimum.coefficients, context.simd);
                Score { right, converged: minimum.converged }
            }
        };
        previous = Some((params.c, score));
        scored.push(score);
        context.progress.advance(1);
    }
    Ok(scored)
}
