//! C-support vector classification (class 0 against class 1), as libsvm and scikit-learn's `SVC` define it.
//!
//! The dual problem is solved by sequential minimal optimisation with second-order working set selection (Fan, Chen
//! and Lin 2005, "Working Set Selection Using Second Order Information for Training SVM") and shrinking, with libsvm's
//! step, clipping, stopping rule and offset. Kernel values are f32, everything else is f64.
//!
//! Where this differs from libsvm: variables keep their order when the active set shrinks, so exact ties may be
//! resolved differently; and the gradient of shrunk variables is restored from what changed since they were left out
//! instead of from a running sum over bounded variables. Both give a solution to the same tolerance.
//!
//! A [`search`] groups its candidates by fold and kernel. Within a group one row cache serves every C. Rows are not
//! shared between folds: of the kernel values of three folds only a quarter coincide, and rows over all of train would
//! take half as much memory again.
//!
//! Every kernel value is a fixed sequence of IEEE operations (no fused multiply-add, no platform libm), so a
//! recomputed value has the bits of an evicted one, and the instruction set only decides the speed.

mod cache;
mod exponential;
mod fold;
mod kernel;
mod model;
#[cfg(test)]
mod optimality;
mod params;
mod passes;
mod points;
mod shrinking;
mod simd;
mod solver;

pub(crate) use fold::Search;
pub use kernel::Kernel;
pub use model::{MalformedSvc, Svc};
pub use params::{Gamma, KernelName, SvcParams};

/// The instruction set that kernel rows and solver passes use.
pub(crate) fn code_path(simd: crate::context::Simd) -> &'static str {
    simd::Level::detect(simd).name()
}
