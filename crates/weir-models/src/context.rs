//! What a fit or a search is given besides its data, and how it reports back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Which kernels may run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Simd {
    /// The widest the processor has, chosen at run time.
    #[default]
    Auto,
    /// The portable path.
    Scalar,
}

impl Simd {
    /// The instruction set that kernels run with here: `avx512`, `avx2` or `portable`. Results are the same with all of
    /// them.
    #[must_use]
    pub fn code_path(self) -> &'static str {
        crate::simd::code_path(self)
    }
}

/// Told of finished pieces of work.
pub trait Progress: Sync {
    /// `pieces` more are done.
    fn advance(&self, pieces: u64);
}

/// Hears nothing.
impl Progress for () {
    fn advance(&self, _pieces: u64) {}
}

/// Limits and wishes of the caller.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Bytes that caches may hold in all.
    pub memory: usize,
    /// Which kernels may run.
    pub simd: Simd,
    /// Told of each (candidate, fold) that is done.
    pub progress: &'a dyn Progress,
    /// Set when the work should stop; looked at between pieces and now and then inside long ones.
    pub cancelled: &'a AtomicBool,
    /// When work should stop for want of time; looked at where `cancelled` is.
    pub deadline: Option<Instant>,
}

static NEVER: AtomicBool = AtomicBool::new(false);

impl Default for Context<'_> {
    /// 1 GiB for caches, widest kernels, no progress, never cancelled, no deadline.
    fn default() -> Self {
        Self { memory: 1 << 30, simd: Simd::Auto, progress: &(), cancelled: &NEVER, deadline: None }
    }
}

impl Context<'_> {
    /// Refuses to go on when the caller has cancelled or the deadline has passed.
    ///
    /// # Errors
    /// [`FitError::Cancelled`], [`FitError::OutOfTime`].
    pub fn check(&self) -> Result<(), FitError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(FitError::Cancelled);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(FitError::OutOfTime),
            _ => Ok(()),
        }
    }
}

/// Why a model could not be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// The caller set [`Context::cancelled`].
    #[error("cancelled")]
    Cancelled,
    /// [`Context::deadline`] has passed.
    #[error("out of time")]
    OutOfTime,
    /// There is nothing to learn from.
    #[error("{model} needs rows of both classes, found {benign} benign and {malicious} malicious")]
    OneClass {
        /// The family.
        model: &'static str,
        /// Rows of class 0.
        benign: usize,
        /// Rows of class 1.
        malicious: usize,
    },
    /// Parameters that do not fit this data.
    #[error("{parameter} = {received} does not fit the data: {reason}")]
    Parameter {
        /// Name of the parameter.
        parameter: &'static str,
        /// Its value.
        received: String,
        /// What is wrong.
        reason: String,
    },
    /// Values that nothing can be learned from.
    #[error("{0}")]
    Data(String),
}

/// How one candidate did on each fold.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateScores {
    /// Accuracy on each held-out fold, in fold order.
    pub accuracy: Vec<f64>,
    /// Folds on which the solver stopped at its iteration limit.
    pub unconverged: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_path_is_portable_when_that_is_wished() {
        assert_eq!(Simd::Scalar.code_path(), "portable");
        assert!(["avx512", "avx2", "portable"].contains(&Simd::Auto.code_path()));
        #[cfg(target_arch = "x86_64")]
        assert_eq!(Simd::Auto.code_path() != "portable", is_x86_feature_detected!("avx2"));
    }
}
