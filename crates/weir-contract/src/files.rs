//! The names of the files that stages leave for each other. One name, one place.

/// Written last and by rename; a directory without it does not exist for the next stage.
pub const MANIFEST: &str = "manifest.json";
/// What was measured while a stage ran; outside every digest.
pub const RUN_INFO: &str = "run-info.json";

/// Unscaled features of the 70 % split.
pub const TRAIN: &str = "train.parquet";
/// Unscaled features of the 20 % split, on which trials are compared.
pub const TEST: &str = "test.parquet";
/// Unscaled features of the 10 % split, not looked at before deployment.
pub const VALIDATION: &str = "validation.parquet";
/// The canonical flows of the test rows, in the same order.
pub const FLOWS_TEST: &str = "flows-test.parquet";
/// The canonical flows of the validation rows, in the same order.
pub const FLOWS_VALIDATION: &str = "flows-validation.parquet";
/// Rows that were set aside, with file, line and reason.
pub const QUARANTINE: &str = "quarantine.parquet";
/// The ordered feature schema with the statistics of train.
pub const FEATURES: &str = "features.json";
/// The fitted transform: feature set and what it learned from train.
pub const TRANSFORM: &str = "transform.json";
/// Statistics of the splits and features.
pub const STATISTICS: &str = "statistics.json";
/// Results of the expectation suite, in the form of Great Expectations.
pub const EXPECTATIONS: &str = "expectations.json";
/// What in the features tells who, when or which record, and what is left of scores in time order.
pub const AUDIT: &str = "audit.json";
/// A few flows with their features.
pub const EXAMPLES: &str = "examples.json";

/// Every candidate and every fold of a search.
pub const SEARCH: &str = "search.json";
/// The default and the best fit, scored on test.
pub const TRIALS: &str = "trials.json";
/// The encoder's shape, parameters and loss per epoch.
pub const ENCODER: &str = "encoder.json";

/// Ranking, winner, reason and verdict.
pub const SELECTION: &str = "selection.json";
/// One-value file: the winner's trial id.
pub const WINNER: &str = "winner";
/// One-value file: the winner's accuracy on test; beside [`VALIDATION_REPORT`] the accuracy of the deployed predictor.
pub const ACCURACY: &str = "accuracy";
/// One-value file: the verdict on promotion.
pub const VERDICT: &str = "verdict";

/// The folder of the bundle inside the packaging artifact.
pub const BUNDLE: &str = "bundle";
/// The folder of the bundle's OCI image layout inside the packaging artifact.
pub const IMAGE: &str = "oci";
/// The run report for people.
pub const REPORT: &str = "report.html";

/// What a deployed predictor answered to the validation flows.
pub const VALIDATION_REPORT: &str = "validation-report.json";

/// Which clients of an access log flood a server, and why.
pub const DETECTION: &str = "detection.json";
/// The addresses of a detection, one per line.
pub const BLOCKED_IPS: &str = "blocked_ips.txt";
/// Who is blocked now.
pub const BLOCKLIST: &str = "blocklist.json";
/// One JSON object per line: every change of what is blocked.
pub const BLOCK_AUDIT: &str = "audit.jsonl";
