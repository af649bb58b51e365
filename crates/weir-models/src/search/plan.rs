//! The plan of a search.

use crate::classifier::ModelParams;
use crate::context::{CandidateScores, Context, FitError};
use crate::data::Dataset;
use crate::folds::Folds;
use crate::search::{FamilySearch, execute};
use crate::{knn, logistic, svc, tree};

/// One candidate on one fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    /// Index of the candidate.
    pub candidate: usize,
    /// Index of the fold.
    pub fold: usize,
}

/// Cells that are computed together.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// What it computes, as people read it: `rbf gamma=0.1 fold=2`. Unique within a plan.
    pub name: String,
    /// Its cells.
    pub cells: Vec<Cell>,
    /// What it will take.
    pub estimate: Estimate,
}

/// What a piece is expected to take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Seconds on one core of a machine of 2023, from measurements that [`crate::svc`] and its neighbours state. Good
    /// for choosing an order and for a warning, within a factor of three or so.
    pub seconds: f64,
    /// Bytes of working memory that it cannot do without.
    pub bytes: usize,
}

/// How a candidate did on a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Held-out rows predicted as they are.
    pub right: u64,
    /// False when the solver stopped at its iteration limit.
    pub converged: bool,
}

/// In which order pieces begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Those with the longest estimate first, so that all threads end at about the same time.
    LongestFirst,
    /// As they are given: under a deadline what matters most comes first.
    AsGiven,
}

/// A search cut into pieces.
pub struct Plan<'a> {
    family: AnyFamily<'a>,
    pieces: Vec<Piece>,
    candidates: usize,
    folds: &'a Folds,
}

enum AnyFamily<'a> {
    Logistic(logistic::Search<'a>),
    Svc(svc::Search<'a>),
    Knn(knn::Search<'a>),
    Tree(tree::Search<'a>),
}

impl<'a> Plan<'a> {
    /// Plans the search of `candidates`, all of one family and at least one, over `folds` of `data`. Nothing of the
    /// size of the data is computed yet.
    ///
    /// # Errors
    /// [`FitError`] when there is nothing to learn from or a candidate does not fit the data.
    ///
    /// # Panics
    /// Without candidates, or when they are of several families.
    pub fn new(candidates: &[ModelParams], data: Dataset<'a>, folds: &'a Folds) -> Result<Self, FitError> {
        macro_rules! family {
            ($variant:ident, $module:ident) => {{
                let params = candidates.iter().map(|candidate| match candidate {
                    ModelParams::$variant(params) => params.clone(),
                    other => panic!("candidates of one family, found {other:?}"),
                });
                let search = $module::Search::new(params.collect(), data, folds)?;
                let pieces = search.pieces();
                (AnyFamily::$variant(search), pieces)
            }};
        }
        let (family, pieces) = match candidates.first().expect("at least one candidate") {
            ModelParams::Logistic(_) => family!(Logistic, logistic),
            ModelParams::Svc(_) => family!(Svc, svc),
            ModelParams::Knn(_) => family!(Knn, knn),
            ModelParams::Tree(_) => family!(Tree, tree),
        };
        Ok(Self { family, pieces, candidates: candidates.len(), folds })
    }

    /// The pieces, which together hold every (candidate, fold) once.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Scores the pieces numbered `chosen` on the threads of rayon's current pool and hands each to `done` as it
    /// comes, from any thread. `context.progress` advances by one per cell. The result has the scores of every piece of
    /// `chosen`, in that order; where `context.deadline` passed first there is none.
    ///
    /// # Errors
    /// [`FitError`] as for [`crate::fit`], and what `done` returns; the first one ends the search.
    pub fn run<E: From<FitError> + Send>(
        &self,
        chosen: &[usize],
        order: Order,
        context: &Context<'_>,
        done: impl Fn(usize, &[Score]) -> Result<(), E> + Sync,
    ) -> Result<Vec<Option<Vec<Score>>>, E> {
        match &self.family {
            AnyFamily::Logistic(search) => execute(search, &self.pieces, chosen, order, context, done),
            AnyFamily::Svc(search) => execute(search, &self.pieces, chosen, order, context, done),
            AnyFamily::Knn(search) => execute(search, &self.pieces, chosen, order, context, done),
            AnyFamily::Tree(search) => execute(search, &self.pieces, chosen, order, context, done),
        }
    }

    /// Puts the scores of pieces, given with their numbers, in the order of candidates and folds. A candidate has no
    /// entry when one of its cells is missing.
    #[must_use]
    pub fn tabulate<'s>(&self, scores: impl IntoIterator<Item = (usize, &'s [Score])>) -> Vec<Option<CandidateScores>> {
        let mut cells: Vec<Vec<Option<Score>>> = vec![vec![None; self.folds.len()]; self.candidates];
        for (piece, scores) in scores {
            for (cell, &score) in self.pieces[piece].cells.iter().zip(scores) {
                cells[cell.candidate][cell.fold] = Some(score);
            }
        }
        let accuracy = |score: &Score, fold: usize| score.right as f64 / self.folds.folds()[fold].test.len() as f64;
        let candidate = |cells: Vec<Option<Score>>| -> Option<CandidateScores> {
            let scores: Vec<Score> = cells.into_iter().collect::<Option<_>>()?;
            Some(CandidateScores {
                accuracy: scores.iter().enumerate().map(|(fold, score)| accuracy(score, fold)).collect(),
                unconverged: scores.iter().filter(|score| !score.converged).count(),
            })
        };
        cells.into_iter().map(candidate).collect()
    }
}

/// Scores every candidate of a family on every fold. The result has one entry per candidate, in their order.
///
/// # Errors
/// [`FitError`] as for [`crate::fit`].
///
/// # Panics
/// When the candidates are not all of one family, or `context` has a deadline: what it cuts has no place in the result.
pub fn search<P: Clone + Into<ModelParams>>(
    candidates: &[P],
    data: Dataset<'_>,
    folds: &Folds,
    context: &Context<'_>,
) -> Result<Vec<CandidateScores>, FitError> {
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    assert!(context.deadline.is_none(), "a search to the end");
    let candidates: Vec<ModelParams> = candidates.iter().cloned().map(Into::into).collect();
    let plan = Plan::new(&candidates, data, folds)?;
    let all: Vec<usize> = (0..plan.pieces().len()).collect();
    let scores = plan.run(&all, Order::LongestFirst, context, |_, _| Ok::<_, FitError>(()))?;
    let scores = scores.iter().enumerate().filter_map(|(piece, scores)| Some((piece, scores.as_deref()?)));
    Ok(plan.tabulate(scores).into_iter().map(|scores| scores.expect("every piece was scored")).collect())
}
