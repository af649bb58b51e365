//! Validation of a deployed predictor against its endpoint.
