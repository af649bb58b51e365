//! Bundles as a predictor meets them: on disk.

mod fixture;
mod opening;
mod predicting;
mod sample;
mod signing;
