//! A search: candidates grouped by fold and kernel, one problem and one row cache per group.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::context::{CandidateScores, Context, FitError};
use crate::data::Dataset;
use crate::folds::{Fold, Folds};
use crate::svc::kernel::Kernel;
use crate::svc::model::{Evaluator, Svc};
use crate::svc::params::SvcParams;
use crate::svc::points::Points;
use crate::svc::simd::Level;
use crate::svc::solver::{Limits, Problem, Solution, Workspace};

/// Scores every candidate on every fold; one entry per candidate, in their order. Candidates that come to the same
/// kernel and limits are computed once. Gamma `scale` is that of a fold's training rows, as in scikit-learn.
/// A candidate whose kernel values overflow on a fold has an accuracy of 0 there and counts as unconverged.
/// Each thread of rayon's current pool takes its share of `context.memory` for kernel rows (at least four rows).
///
/// # Errors
/// [`FitError::OneClass`] when a fold trains on one class only, [`FitError::Cancelled`].
pub fn search(
    candidates: &[SvcParams],
    data: Dataset<'_>,
    folds: &Folds,
    context: &Context<'_>,
) -> Result<Vec<CandidateScores>, FitError> {
    let rows: Vec<Rows> = folds.folds().iter().map(|fold| Rows::of(data, &fold.train)).collect::<Result<_, _>>()?;
    let groups = groups(candidates, data, folds.folds(), &rows);
    let workers = rayon::current_num_threads().min(groups.len());
    let next = AtomicUsize::new(0);
    let results = Mutex::new(vec![None; groups.len()]);
    // Workers take groups in order, the long ones first, and keep their memory from group to group.
    rayon::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|_| {
                let mut workspace = Workspace::new(context.memory / workers);
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(group) = groups.get(index) else { break };
                    let result = group.score(data, &mut workspace, context);
                    results.lock().expect("no worker panicked")[index] = Some(result);
                }
            });
        }
    });
    let results = results.into_inner().expect("no worker panicked");
    let mut scores = vec![CandidateScores { accuracy: vec![0.0; folds.len()], unconverged: 0 }; candidates.len()];
    for (group, result) in groups.iter().zip(results) {
        let result = result.expect("every group was taken")?;
        for (job, outcome) in group.jobs.iter().zip(result) {
            for &candidate in &job.candidates {
                scores[candidate].accuracy[group.fold] = outcome.accuracy;
                scores[candidate].unconverged += usize::from(!outcome.converged);
            }
        }
    }
    Ok(scores)
}

/// What one kernel has to do on one fold.
struct Group<'a> {
    fold: usize,
    kernel: Kernel,
    rows: &'a Rows,
    test: &'a [u32],
    jobs: Vec<Job>,
}

/// One fit, and the candidates that it stands for.
struct Job {
    limits: Limits,
    candidates: Vec<usize>,
}

#[derive(Clone)]
struct Outcome {
    accuracy: f64,
    converged: bool,
}

fn groups<'a>(candidates: &[SvcParams], data: Dataset<'_>, folds: &'a [Fold], rows: &'a [Rows]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (fold, (Fold { test, .. }, rows)) in folds.iter().zip(rows).enumerate() {
        for (candidate, params) in candidates.iter().enumerate() {
            let kernel = params.kernel_for(data.features(), rows.features(data));
            let limits = Limits::new(params, rows.len());
            let group = match groups.iter_mut().find(|group| group.fold == fold && group.kernel == kernel) {
                Some(group) => group,
                None => {
                    groups.push(Group { fold, kernel, rows, test, jobs: Vec::new() });
                    groups.last_mut().expect("pushed")
                }
            };
            match group.jobs.iter_mut().find(|job| job.limits == limits) {
                Some(job) => job.candidates.push(candidate),
                None => group.jobs.push(Job { limits, candidates: vec![candidate] }),
            }
        }
    }
    // Sigmoid takes longest: begun last, it would leave threads idle at the end.
    groups.sort_by_key(|group| !matches!(group.kernel, Kernel::Sigmoid { .. }));
    groups
}

impl Group<'_> {
    /// Outcomes in the order of the jobs.
    fn score(
        &self,
        data: Dataset<'_>,
        workspace: &mut Workspace,
        context: &Context<'_>,
    ) -> Result<Vec<Outcome>, FitError> {
        let level = Level::detect(context.simd);
        let problem = self.rows.problem(data, self.kernel, level);
        workspace.start(&problem);
        let mut outcomes = Vec::with_capacity(self.jobs.len());
        for job in &self.jobs {
            context.check()?;
            let solution = match problem.overflows() {
                true => None,
                false => Some(problem.solve(job.limits, workspace, context)?).filter(Solution::is_finite),
            };
            outcomes.push(match solution {
                None => Outcome { accuracy: 0.0, converged: false },
                Some(solution) => {
                    let evaluator = Svc::new(&problem, &solution).evaluator(level);
                    Outcome { accuracy: self.accuracy(&evaluator, data, context)?, converged: solution.converged }
                }
            });
            context.progress.advance(job.candidates.len() as u64);
        }
        Ok(outcomes)
    }

    /// Share of the held-out rows that are predicted as they are.
    fn accuracy(&self, evaluator: &Evaluator, data: Dataset<'_>, context: &Context<'_>) -> Result<f64, FitError> {
        let mut right = 0;
        for (count, &row) in self.test.iter().enumerate() {
            if count % 1024 == 0 {
                context.check()?;
            }
            let malicious = evaluator.decision(data.row(row as usize)) > 0.0;
            right += usize::from(malicious == (data.classes()[row as usize] == 1));
        }
        Ok(right as f64 / self.test.len() as f64)
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
