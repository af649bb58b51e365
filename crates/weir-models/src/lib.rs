//! Estimators, K-Means, scalers, the autoencoder, metrics and their search: parameters become checked parameters,
//! fitted models and predictions; fitted state becomes bytes and back.
//!
//! Every family has one shape: `Params` (checked on construction) → `fit` → a fitted type that is a
//! [`Classifier`], and a search that cuts candidates × folds into pieces, each of which computes once what its cells
//! have in common. [`fit`] and [`search::Plan`] dispatch over the families.
//!
//! Matrices are `[rows, features]` f64, row-major. Class 1 (malicious) is the positive class.
//! Definitions and parameter names are scikit-learn's; each module says where it differs.
//!
//! Results do not depend on the number of threads: parallel pieces are independent or are combined in a fixed
//! order. The thread pool is rayon's current one; nothing here starts threads of its own.
//!
//! This crate does not know files, command lines, or polars.

pub mod autoencoder;
pub mod calibration;
pub mod classifier;
pub mod context;
pub mod data;
pub mod detector;
mod exponential;
pub mod folds;
pub mod kmeans;
pub mod knn;
pub mod logistic;
pub mod params;
pub mod scaler;
pub mod scoring;
pub mod search;
mod simd;
pub mod svc;
pub mod tree;

pub use calibration::calibrate;
pub use classifier::{Classifier, FittedModel, ModelParams, ScoreKind, Scores, fit};
pub use context::{CandidateScores, Context, FitError, Progress, Simd};
pub use data::Dataset;
pub use detector::Detector;
pub use folds::{Fold, Folds};
pub use params::{ParamError, ParamReader};
pub use scaler::Scaler;
pub use search::{Plan, search};
