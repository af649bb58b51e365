//! C-support vector classification (class 0 against class 1), as libsvm and scikit-learn's `SVC` define it.
//!
//! The dual problem is solved by decomposition: working sets of a few hundred variables are optimised by sequential
//! minimal optimisation with second-order choice of the pair, with libsvm's step, stopping rule and offset. Kernel
//! values are rounded to f32, everything else is f64. Large working sets are Joachims' (1998, "Making large-scale SVM
//! learning practical"); their point here is that the values of a working set with all rows are needed once and
//! together, which makes computing them cheaper than keeping them: there is no row cache, and memory does not grow with
//! the square of the rows.
//!
//! Where this differs from libsvm: pairs are chosen within working sets, so variables reach a solution to the same
//! tolerance on another way; nothing is shrunk. Where the range of the points allows it (see `Kernel::fits_f32`), kernel
//! values are not only kept but computed in f32.
//!
//! A search groups its candidates by fold and kernel. Within a group C falls: scaled to the smaller bound, a solution
//! leaves half as many variables to change as starting from 0. The rows held out are carried along, so that a solution
//! comes with its decision values.
//!
//! Every kernel value is a fixed sequence of IEEE operations (no fused multiply-add, no platform libm), so a value has
//! the same bits whenever and wherever it is computed.

mod block;
mod exponential;
mod held_out;
mod kernel;
mod model;
#[cfg(test)]
mod optimality;
mod params;
mod points;
mod real;
mod search;
mod solver;
mod sums;
mod working_set;

pub use kernel::Kernel;
pub use model::{MalformedSvc, Svc};
pub use params::{Gamma, KernelName, SvcParams};
pub(crate) use search::Search;
