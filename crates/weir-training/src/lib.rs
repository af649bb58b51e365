//! Stage `training`: one model family on one representation.
//!
//! Reads a features artifact and a grid. Fits the family with its default parameters, searches the grid by stratified
//! cross-validation on train in one call, fits the best candidate on all of train, and scores both on test. Writes the
//! artifact `trials/<representation>-<family>/`: `search.json`, `trials.json`, `default.model`, `best.model`, and
//! `encoder.json` for the autoencoder's representation.
//!
//! Everything that is learned from data is learned from train: scaler, encoder, models. Validation rows are not read.
//!
//! This crate does not know selection or bundles.

mod command;
mod encoder;
mod params;
mod search;
mod stage;
mod trial;

pub use command::{Args, DEFAULT_MEMORY, command};
pub use encoder::Encoders;
pub use params::{AutoencoderSection, Grids, TrainingParams};
pub use stage::{Outcome, Request, run};
