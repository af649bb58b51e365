//! What a predictor is told, checked once.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use validator::{Validate, ValidationErrors};
use weir_bundle::VerifyingKey;

/// How to serve a bundle. [`Validate::validate`] names what is out of range.
#[derive(Debug, Clone, PartialEq, Validate)]
pub struct Settings {
    /// Directory of the bundle, or a link to it.
    pub bundle: PathBuf,
    /// Keys of which one must have signed the bundle; without keys any bundle is taken.
    pub trust: Vec<VerifyingKey>,
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Name of the model in URLs; without one that of the bundle. It stays when the bundle is replaced.
    #[validate(length(min = 1, max = 200))]
    pub model_name: Option<String>,
    /// Threads that serve connections.
    #[validate(range(min = 1, max = 256))]
    pub workers: usize,
    /// Longest body of a request, in bytes.
    #[validate(range(min = 1024, max = 1_073_741_824))]
    pub max_body: usize,
    /// Most rows of a request.
    #[validate(range(min = 1, max = 10_000_000))]
    pub max_batch: usize,
    /// Predictions at work or waiting at once; more are told to come back later.
    #[validate(range(min = 1, max = 65_536))]
    pub max_concurrency: usize,
    /// Connections at once; more are answered that the predictor is busy, and closed.
    #[validate(range(min = 1, max = 1_048_576))]
    pub max_connections: usize,
    /// Longest time for a request to arrive and to be answered.
    pub request_timeout: Duration,
    /// Longest time that requests in flight get when the predictor is asked to stop.
    pub drain: Duration,
    /// For so long connections are taken after the predictor was asked to stop, so that who has not heard of it yet is
    /// answered all the same; at most a quarter of `drain`.
    pub last_call: Duration,
    /// How often the bundle directory is looked at for another bundle; `None` never.
    pub reload: Option<Duration>,
    /// Whether every request is logged.
    pub access_log: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bundle: PathBuf::from("weir-run/package/bundle"),
            trust: Vec::new(),
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8080,
            model_name: None,
            workers: 1,
            max_body: 16 << 20,
            max_batch: 10_000,
            max_concurrency: 256,
            max_connections: 4096,
            request_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(20),
            last_call: Duration::from_millis(250),
            reload: Some(Duration::from_secs(10)),
            access_log: false,
        }
    }
}

/// What is out of range, as an option of the command.
pub(crate) fn explain(errors: &ValidationErrors) -> String {
    let mut reasons = Vec::new();
    for (field, errors) in errors.field_errors() {
        for error in errors {
            let bound = |name: &str| error.params.get(name).map(ToString::to_string).unwrap_or_default();
            let received = error.params.get("value").map(ToString::to_string).unwrap_or_default();
            let option = field.replace('_', "-");
            reasons.push(format!(
                "--{option} has to be from {} to {}, received {received}",
                bound("min"),
                bound("max")
            ));
        }
    }
    reasons.sort();
    reasons.join("; ")
}
