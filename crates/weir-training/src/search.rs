//! The search: every candidate on one rung after the other, until few are left or the time is up.

use std::time::Instant;

use weir_contract::manifest::RungInfo;
use weir_contract::search::{CutReason, Rung, SearchResults};
use weir_contract::{Family, ParamMap, Representation};
use weir_models::search::{Order, Plan, Score};
use weir_models::{CandidateScores, Context, Dataset, FitError, Folds, ModelParams};
use weir_stage::{Failure, Stage};

use crate::candidates::Candidates;
use crate::estimate;
use crate::limit::Limit;
use crate::params::{Strategy, TrainingParams};
use crate::pieces::{Identity, Pieces};
use crate::rungs;
use crate::stage::failure;
use crate::table::{Standing, table};

/// What is searched, and how.
pub(crate) struct Search<'a> {
    /// For people.
    pub(crate) label: &'a str,
    pub(crate) family: Family,
    pub(crate) representation: Representation,
    pub(crate) candidates: &'a Candidates,
    /// All rows of train, as the model sees them.
    pub(crate) train: Dataset<'a>,
    pub(crate) params: &'a TrainingParams,
    pub(crate) limit: &'a Limit,
}

impl<'a> Search<'a> {
    /// Rows of each rung. A rung is left out when its rows cannot be cut into folds or are too few for a candidate (rare
    /// classes, many neighbours); what is wrong with all rows the search itself says.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let rows = self.train.rows();
        let computations = self.candidates.computations();
        let is_limited = *self.limit != Limit::None;
        let sizes = rungs::sizes(rows, computations.len(), self.params.search, is_limited, &self.params.rungs);
        let suits = |&size: &usize| {
            size == rows
                || self
                    .folds(size)
                    .is_ok_and(|folds| Plan::new(&self.of(&computations).0, self.train.head(size), &folds).is_ok())
        };
        sizes.into_iter().filter(suits).collect()
    }

    /// (Candidate, fold) pairs that a search over rungs of `sizes` scores, if nothing ends it before.
    pub(crate) fn cells(&self, sizes: &[usize]) -> u64 {
        let mut left = self.candidates.computations().len();
        let mut cells = 0;
        for _ in sizes {
            cells += left * self.params.folds;
            if self.params.search == Strategy::Halving {
                left = rungs::keep(left, self.params.rungs.factor);
            }
        }
        cells as u64
    }

    /// Folds of the first `rows` rows.
    pub(crate) fn folds(&self, rows: usize) -> Result<Folds, Failure> {
        Folds::stratified(&self.train.classes()[..rows], self.params.folds)
            .map_err(|error| Failure::input(format!("train: {error}")).hint("give more labelled flows of both classes"))
    }

    /// Checked parameters of candidates, and what was given for them.
    pub(crate) fn of(&self, candidates: &[usize]) -> (Vec<ModelParams>, Vec<ParamMap>) {
        let of =
            |&candidate: &usize| (self.candidates.params[candidate].clone(), self.candidates.given[candidate].clone());
        candidates.iter().map(of).unzip()
    }

    /// Searches over rungs of `sizes`. Pieces that `pieces` knows are not computed again; the others are kept there.
    ///
    /// # Errors
    /// [`Failure`] for data or candidates that do not fit each other, for cuts of another search, when interrupted, and
    /// when a piece cannot be kept.
    pub(crate) fn run(
        &self,
        sizes: &[usize],
        pieces: &Pieces,
        context: &Context<'_>,
        stage: &Stage,
    ) -> Result<(SearchResults, Vec<RungInfo>), Failure> {
        if let Limit::Replay(cuts) = self.limit {
            cuts.check((self.family, self.representation), self.params.folds, self.candidates, sizes)?;
        }
        let begin = Instant::now();
        let deadline = match self.limit {
            Limit::Budget(budget) => Some(begin + budget.duration()),
            _ => None,
        };
        let mut field = self.candidates.computations();
        let mut standings: Vec<Option<Standing>> = vec![None; self.candidates.len()];
        let mut entered = Vec::new();
        let mut infos = Vec::new();
        for (number, &rows) in sizes.iter().enumerate() {
            entered.push(Rung { rows: rows as u64, candidates: self.with_equals(&field) });
            // Without the smallest rung there would be nothing to choose from.
            let context = Context { deadline: deadline.filter(|_| number > 0), ..*context };
            let rung = RungOf { search: self, number, rows, field: &field, standings: &standings };
            let (scores, info) = rung.score(pieces, &context, stage)?;
            infos.push(RungInfo { until: begin.elapsed().as_secs_f64(), ..info });

            let is_last = number + 1 == sizes.len();
            let is_over = scores.iter().any(Option::is_none);
            for (&candidate, scores) in field.iter().zip(scores) {
                let standing = &mut standings[candidate];
                if let Some(scores) = scores {
                    let cut = (is_over && !is_last).then_some(CutReason::Budget);
                    *standing = Some(Standing { scores, rung: number, cut });
                } else if let Some(standing) = standing {
                    standing.cut = Some(CutReason::Budget);
                }
            }
            if is_over || is_last {
                break;
            }
            if self.params.search == Strategy::Halving {
                halve(&mut field, &mut standings, self.params.rungs.factor);
            }
        }
        for (candidate, same) in self.candidates.same_as.iter().enumerate() {
            if let Some(same) = *same {
                standings[candidate] = standings[same].clone();
            }
        }
        let standings = standings.into_iter().map(|standing| standing.expect("the first rung scores all")).collect();
        let of = (self.family, self.representation);
        Ok((table(of, self.params.folds, entered, self.candidates, standings), infos))
    }

    /// Candidates in `field`, with those that are the computation of one in it.
    fn with_equals(&self, field: &[usize]) -> usize {
        let is_in = |candidate: usize| field.contains(&self.candidates.same_as[candidate].unwrap_or(candidate));
        (0..self.candidates.len()).filter(|&candidate| is_in(candidate)).count()
    }
}

/// Leaves the best of `field`, in the order of candidates, and marks the others as cut.
fn halve(field: &mut Vec<usize>, standings: &mut [Option<Standing>], factor: usize) {
    let mean = |&candidate: &usize| standings[candidate].as_ref().map_or(f64::NEG_INFINITY, Standing::mean);
    let mut order = field.clone();
    // The sort is stable: the first of equals comes first.
    order.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
    for candidate in order.split_off(rungs::keep(field.len(), factor)) {
        if let Some(standing) = &mut standings[candidate] {
            standing.cut = Some(CutReason::Rank);
        }
    }
    field.retain(|candidate| order.contains(candidate));
}

/// The candidates that came to a rung.
struct RungOf<'s, 'a> {
    search: &'s Search<'a>,
    number: usize,
    rows: usize,
    field: &'s [usize],
    /// From the rung before.
    standings: &'s [Option<Standing>],
}

impl RungOf<'_, '_> {
    /// Scores them, in the order of `field`; none for a candidate that the time did not suffice for.
    fn score(
        &self,
        pieces: &Pieces,
        context: &Context<'_>,
        stage: &Stage,
    ) -> Result<(Vec<Option<CandidateScores>>, RungInfo), Failure> {
        let search = self.search;
        let folds = search.folds(self.rows)?;
        let (params, given) = search.of(self.field);
        let plan =
            Plan::new(&params, search.train.head(self.rows), &folds).map_err(|error| failure(search.label, error))?;
        let identity = Identity::new(pieces.run(), self.rows, &plan, &given, &folds);
        let chosen = self.chosen(&plan);
        let mut scores: Vec<Option<Vec<Score>>> = chosen.iter().map(|&piece| pieces.find(&identity, piece)).collect();
        let missing: Vec<usize> =
            chosen.iter().zip(&scores).filter(|(_, known)| known.is_none()).map(|(&piece, _)| piece).collect();
        scores.iter().flatten().for_each(|known| context.progress.advance(known.len() as u64));
        let resumed = chosen.len() - missing.len();
        let estimate = estimate::seconds(plan.pieces(), &missing, stage.threads());
        estimate::announce(search, self.field.len(), self.rows, &missing, resumed, estimate, stage);

        let order = if *search.limit == Limit::None { Order::LongestFirst } else { Order::AsGiven };
        let keep = |piece: usize, scores: &[Score]| Ok(pieces.keep(&identity, piece, scores)?);
        let new = plan.run(&missing, order, context, keep).map_err(|stop: Stop| stop.failure(search.label))?;
        let unfinished = plan.pieces().len() - resumed - new.iter().flatten().count();
        let places = (0..scores.len()).filter(|&place| scores[place].is_none()).collect::<Vec<_>>();
        for (place, new) in places.into_iter().zip(new) {
            scores[place] = new;
        }
        let known = chosen.iter().zip(&scores).filter_map(|(&piece, scores)| Some((piece, scores.as_deref()?)));
        let info =
            RungInfo { rows: self.rows as u64, pieces: plan.pieces().len(), resumed, unfinished, estimate, until: 0.0 };
        Ok((plan.tabulate(known), info))
    }

    /// The pieces of the candidates that there is time for, those of the best of the rung before first.
    fn chosen(&self, plan: &Plan<'_>) -> Vec<usize> {
        let mean = |place: usize| self.standings[self.field[place]].as_ref().map_or(0.0, Standing::mean);
        let mut places: Vec<usize> = (0..self.field.len()).collect();
        places.sort_by(|&a, &b| mean(b).total_cmp(&mean(a)));
        if let Limit::Replay(cuts) = self.search.limit {
            places.retain(|&place| !cuts.before(self.field[place], self.number));
        }
        let mut chosen = Vec::new();
        let mut is_chosen = vec![false; plan.pieces().len()];
        for place in places {
            for (number, piece) in plan.pieces().iter().enumerate() {
                if !is_chosen[number] && piece.cells.iter().any(|cell| cell.candidate == place) {
                    is_chosen[number] = true;
                    chosen.push(number);
                }
            }
        }
        chosen
    }
}

/// Why a rung ended early.
pub(crate) enum Stop {
    Fit(FitError),
    Failure(Failure),
}

impl From<FitError> for Stop {
    fn from(error: FitError) -> Self {
        Self::Fit(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl Stop {
    /// As the command reports it.
    pub(crate) fn failure(self, label: &str) -> Failure {
        match self {
            Self::Fit(error) => failure(label, error),
            Self::Failure(failure) => failure,
        }
    }
}
