//! Stage `training`: one model family on one representation.
//!
//! Reads a features artifact and what to try: a grid, or ranges to draw from. Fits the family with its default parameters,
//! searches by stratified cross-validation on train, fits the best candidate on all of train, and scores both on test.
//! Writes the artifact `trials/<representation>-<family>/`: `search.json`, `trials.json`, `default.model`, `best.model`,
//! and `encoder.json` for the autoencoder's representation.
//!
//! Everything that is learned from data is learned from train: scaler, encoder, models. Validation rows are not read.
//!
//! The search is a plan of pieces ([`weir_models::search::Plan`]). Each piece is kept as it is scored, in `.weir-work` of
//! the artifact's directory, so that an interrupted search goes on; pieces may be scored on other machines ([`ShardPlan`]);
//! and candidates may be compared on growing parts of train, by halving or until the time is up ([`Limit`]). The same
//! inputs, parameters and seed give the same bytes on all of these roads, but for a budget of time: its cuts are recorded
//! and can be repeated.
//!
//! In `run-info.json` the part `compute` is everything from loaded matrices to scored results: `represent` (scaler,
//! encoder), then `default` and `search` side by side, then `best`, which is absent where the best candidate is the
//! default fit again. `read` comes before it; digests and writing are in no part.
//!
//! This crate does not know selection or bundles.

mod candidates;
mod command;
mod data;
mod encoder;
mod estimate;
mod limit;
mod params;
mod pieces;
mod random;
mod rungs;
mod search;
mod shards;
mod stage;
mod table;
mod train;
mod trial;

pub use candidates::Candidates;
pub use command::{Args, DEFAULT_MEMORY, command};
pub use encoder::Encoders;
pub use limit::{Budget, Cuts, Limit};
pub use params::{AutoencoderSection, Grids, RungParams, Strategy, TrainingParams};
pub use random::{RandomParams, Space};
pub use shards::{OpenPlan, PlannedPiece, ShardPlan, plan};
pub use stage::{Outcome, Request, run};
