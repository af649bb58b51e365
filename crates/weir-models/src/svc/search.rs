//! A search: candidates grouped by fold and kernel. Within a group C falls, and each solution starts the next.

use std::sync::Arc;

use crate::context::{Context, FitError, Simd};
use crate::data::Dataset;
use crate::folds::{Fold, Folds};
use crate::search::{Cell, FamilySearch, Piece, Score};
use crate::svc::kernel::Kernel;
use crate::svc::params::SvcParams;
use crate::svc::points::Points;
use crate::svc::real::Real;
use crate::svc::solver::{Limits, Problem, State};

/// A search over kernels: a piece is a kernel on a fold. Candidates that come to the same kernel and limits are computed
/// once. Gamma `scale` is that of a fold's training rows, as in scikit-learn. A candidate whose kernel values overflow on
/// a fold has nothing right there and counts as unconverged.
pub(crate) struct Search<'a> {
    data: Dataset<'a>,
    groups: Vec<Group<'a>>,
}

impl<'a> Search<'a> {
    /// # Errors
    /// [`FitError::OneClass`] when a fold trains on one class only.
    pub(crate) fn new(candidates: Vec<SvcParams>, data: Dataset<'a>, folds: &'a Folds) -> Result<Self, FitError> {
        let rows = folds.folds().iter().map(|fold| Ok(Arc::new(Rows::of(data, &fold.train)?)));
        let rows: Vec<Arc<Rows>> = rows.collect::<Result<_, FitError>>()?;
        Ok(Self { groups: groups(&candidates, data, folds.folds(), &rows), data })
    }
}

impl FamilySearch for Search<'_> {
    type Scratch = ();

    fn pieces(&self) -> Vec<Piece> {
        let piece = |group: &Group<'_>| Piece {
            name: format!("{} fold={}", group.kernel, group.fold + 1),
            cells: group.cells().map(|candidate| Cell { candidate, fold: group.fold }).collect(),
            estimate: group.kernel.estimate(self.data.rows(), self.data.features(), group.jobs.len()),
        };
        self.groups.iter().map(piece).collect()
    }

    fn scratch(&self, _bytes: usize) {}

    fn score(&self, piece: usize, _scratch: &mut (), context: &Context<'_>) -> Result<Vec<Score>, FitError> {
        let group = &self.groups[piece];
        group.rows.with_problem(
            self.data,
            group.kernel,
            group.test,
            context.simd,
            Scoring { group, classes: self.data.classes(), context },
        )
    }
}

/// What one kernel has to do on one fold.
struct Group<'a> {
    fold: usize,
    kernel: Kernel,
    rows: Arc<Rows>,
    test: &'a [u32],
    jobs: Vec<Job>,
}

/// One fit, and the candidates that it stands for.
struct Job {
    limits: Limits,
    candidates: Vec<usize>,
}

fn groups<'a>(candidates: &[SvcParams], data: Dataset<'_>, folds: &'a [Fold], rows: &[Arc<Rows>]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (fold, (Fold { test, .. }, rows)) in folds.iter().zip(rows).enumerate() {
        for (candidate, params) in candidates.iter().enumerate() {
            let kernel = params.kernel_for(data.features(), rows.features(data));
            let limits = Limits::new(params, rows.len());
            let group = match groups.iter_mut().find(|group| group.fold == fold && group.kernel == kernel) {
                Some(group) => group,
                None => {
                    groups.push(Group { fold, kernel, rows: Arc::clone(rows), test, jobs: Vec::new() });
                    groups.last_mut().expect("pushed")
                }
            };
            match group.jobs.iter_mut().find(|job| job.limits == limits) {
                Some(job) => job.candidates.push(candidate),
                None => group.jobs.push(Job { limits, candidates: vec![candidate] }),
            }
        }
    }
    // The solution under a large C is the better start for a smaller one: see `Problem::solve`.
    for group in &mut groups {
        group.jobs.sort_by(|a, b| b.limits.c.total_cmp(&a.limits.c));
    }
    groups
}

impl Group<'_> {
    /// Candidates, job by job.
    fn cells(&self) -> impl Iterator<Item = usize> {
        self.jobs.iter().flat_map(|job| &job.candidates).copied()
    }
}

/// Scores the jobs of a group, each from the solution of the one before.
struct Scoring<'a> {
    group: &'a Group<'a>,
    classes: &'a [u8],
    context: &'a Context<'a>,
}

impl WithProblem for Scoring<'_> {
    type Output = Result<Vec<Score>, FitError>;

    fn run<R: Real>(self, problem: &Problem<R>) -> Self::Output {
        self.context.check()?;
        let overflows = problem.overflows();
        let mut scores = Vec::new();
        let mut state = problem.start();
        for job in &self.group.jobs {
            let mut score = Score { right: 0, converged: false };
            if !overflows {
                state = problem.solve(state, job.limits, self.context)?;
                if state.is_finite() {
                    score = Score { right: self.right(&state), converged: state.converged };
                }
                if !state.converged {
                    state = problem.start();
                }
            }
            scores.resize(scores.len() + job.candidates.len(), score);
            self.context.progress.advance(job.candidates.len() as u64);
        }
        Ok(scores)
    }
}

impl Scoring<'_> {
    /// Held-out rows that are predicted as they are.
    fn right(&self, state: &State) -> u64 {
        let predicted = self.group.test.iter().zip(state.decisions());
        let right = predicted.filter(|(row, decision)| (*decision > 0.0) == (self.classes[**row as usize] == 1));
        right.count() as u64
    }
}

/// Training rows, class 0 before class 1, each ascending.
pub(super) struct Rows {
    rows: Vec<u32>,
    /// How many of them are of class 0.
    benign: usize,
}

impl Rows {
    /// Arranges `rows` of `data`; both classes have to be among them.
    pub(super) fn of(data: Dataset<'_>, rows: &[u32]) -> Result<Self, FitError> {
        let (mut sorted, malicious): (Vec<u32>, Vec<u32>) =
            rows.iter().partition(|&&row| data.classes()[row as usize] == 0);
        let benign = sorted.len();
        if benign == 0 || malicious.is_empty() {
            return Err(FitError::OneClass { model: "SVC", benign, malicious: malicious.len() });
        }
        sorted.extend(malicious);
        Ok(Self { rows: sorted, benign })
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The features of each row.
    pub(super) fn features<'a>(&'a self, data: Dataset<'a>) -> impl ExactSizeIterator<Item = &'a [f64]> + Clone {
        self.rows.iter().map(move |&row| data.row(row as usize))
    }

    /// Row numbers in the order of the problem.
    pub(super) fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Hands the problem of these rows to `with`, in f32 where that is wide enough for the kernel.
    pub(super) fn with_problem<W: WithProblem>(
        &self,
        data: Dataset<'_>,
        kernel: Kernel,
        held_out: &[u32],
        simd: Simd,
        with: W,
    ) -> W::Output {
        let origin = match kernel {
            Kernel::Rbf { .. } => self.middle(data),
            // The others do depend on where the origin is.
            _ => vec![0.0; data.features()],
        };
        let narrow: Problem<f32> = self.problem(data, kernel, &origin, held_out, simd);
        if kernel.fits_f32(narrow.points.longest()) {
            return with.run(&narrow);
        }
        drop(narrow);
        with.run::<f64>(&self.problem(data, kernel, &vec![0.0; data.features()], held_out, simd))
    }

    fn problem<R: Real>(
        &self,
        data: Dataset<'_>,
        kernel: Kernel,
        origin: &[f64],
        held_out: &[u32],
        simd: Simd,
    ) -> Problem<R> {
        let points = Points::new(origin, self.features(data));
        let held_out = Points::new(origin, held_out.iter().map(|&row| data.row(row as usize)));
        let signs = (0..self.rows.len()).map(|row| if row < self.benign { 1.0 } else { -1.0 }).collect();
        Problem { kernel, points, held_out, signs, simd }
    }

    /// The middle of each feature's range.
    fn middle(&self, data: Dataset<'_>) -> Vec<f64> {
        let mut ends = vec![(f64::INFINITY, f64::NEG_INFINITY); data.features()];
        for row in self.features(data) {
            for ((low, high), &value) in ends.iter_mut().zip(row) {
                (*low, *high) = (low.min(value), high.max(value));
            }
        }
        ends.into_iter().map(|(low, high)| low / 2.0 + high / 2.0).collect()
    }
}

/// What is to be done with a problem of either width.
pub(super) trait WithProblem {
    type Output;

    fn run<R: Real>(self, problem: &Problem<R>) -> Self::Output;
}
