//! A search: candidates grouped by fold and kernel, one problem and one row cache per group.

use std::sync::Arc;

use crate::context::{Context, FitError};
use crate::data::Dataset;
use crate::folds::{Fold, Folds};
use crate::search::{Cell, Estimate, FamilySearch, Piece, Score};
use crate::svc::kernel::Kernel;
use crate::svc::model::{Evaluator, Svc};
use crate::svc::params::SvcParams;
use crate::svc::points::Points;
use crate::svc::simd::Level;
use crate::svc::solver::{Limits, Problem, Solution, Workspace};

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
    type Scratch = Workspace;

    fn pieces(&self) -> Vec<Piece> {
        let piece = |group: &Group<'_>| Piece {
            name: format!("{:?} fold={}", group.kernel, group.fold + 1),
            cells: group.cells().map(|candidate| Cell { candidate, fold: group.fold }).collect(),
            // Sigmoid takes longest.
            estimate: Estimate {
                seconds: f64::from(u8::from(matches!(group.kernel, Kernel::Sigmoid { .. }))),
                bytes: 0,
            },
        };
        self.groups.iter().map(piece).collect()
    }

    /// Memory for kernel rows, at least four.
    fn scratch(&self, bytes: usize) -> Workspace {
        Workspace::new(bytes)
    }

    fn score(&self, piece: usize, workspace: &mut Workspace, context: &Context<'_>) -> Result<Vec<Score>, FitError> {
        self.groups[piece].score(self.data, workspace, context)
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
    groups
}

impl Group<'_> {
    /// Candidates, job by job.
    fn cells(&self) -> impl Iterator<Item = usize> {
        self.jobs.iter().flat_map(|job| &job.candidates).copied()
    }

    /// Scores in the order of the cells.
    fn score(
        &self,
        data: Dataset<'_>,
        workspace: &mut Workspace,
        context: &Context<'_>,
    ) -> Result<Vec<Score>, FitError> {
        let level = Level::detect(context.simd);
        let problem = self.rows.problem(data, self.kernel, level);
        workspace.start(&problem);
        let mut scores = Vec::new();
        for job in &self.jobs {
            context.check()?;
            let solution = match problem.overflows() {
                true => None,
                false => Some(problem.solve(job.limits, workspace, context)?).filter(Solution::is_finite),
            };
            let score = match solution {
                None => Score { right: 0, converged: false },
                Some(solution) => {
                    let evaluator = Svc::new(&problem, &solution).evaluator(level);
                    Score { right: self.right(&evaluator, data, context)?, converged: solution.converged }
                }
            };
            scores.resize(scores.len() + job.candidates.len(), score);
            context.progress.advance(job.candidates.len() as u64);
        }
        Ok(scores)
    }

    /// Held-out rows that are predicted as they are.
    fn right(&self, evaluator: &Evaluator, data: Dataset<'_>, context: &Context<'_>) -> Result<u64, FitError> {
        let mut right = 0;
        for (count, &row) in self.test.iter().enumerate() {
            if count % 1024 == 0 {
                context.check()?;
            }
            let malicious = evaluator.decision(data.row(row as usize)) > 0.0;
            right += u64::from(malicious == (data.classes()[row as usize] == 1));
        }
        Ok(right)
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

    pub(super) fn problem(&self, data: Dataset<'_>, kernel: Kernel, level: Level) -> Problem {
        let points = Points::new(data.features(), self.features(data));
        let signs = (0..self.rows.len()).map(|row| if row < self.benign { 1.0 } else { -1.0 }).collect();
        Problem::new(kernel, points, signs, level)
    }
}
