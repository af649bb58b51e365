//! Why an endpoint cannot be asked at all.

use weir_contract::{Classify, ExitCode};

/// An endpoint that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// An address that is none.
    #[error("cannot ask {url:?}: {reason}")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Settings of the client that cannot be used.
    #[error("{reason}")]
    Client {
        /// What is wrong.
        reason: String,
    },
    /// Nobody answers.
    #[error("no answer from {url} in {attempts} attempts: {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Attempts made.
        attempts: u32,
        /// Why the last one failed.
        reason: String,
    },
    /// The endpoint wants to know who asks.
    #[error("{url} answers {status}")]
    Denied {
        /// What was asked for.
        url: String,
        /// Code and phrase.
        status: String,
    },
    /// The endpoint does not list its models.
    #[error("{url} does not list its models")]
    NoList {
        /// What was asked for.
        url: String,
    },
    /// There are several models, or none.
    #[error("{url} has {} models{}", .names.len(), listed(.names))]
    Ambiguous {
        /// The endpoint.
        url: String,
        /// Their names.
        names: Vec<String>,
    },
    /// There is no such model.
    #[error("{url} has no model {model:?}{}", listed(.names))]
    UnknownModel {
        /// The endpoint.
        url: String,
        /// The name asked for.
        model: String,
        /// The names there are, where the endpoint lists them.
        names: Vec<String>,
    },
    /// The model is there and cannot predict yet.
    #[error("model {model:?} is not ready")]
    NotReady {
        /// Its name.
        model: String,
    },
    /// An answer that no predictor gives.
    #[error("{url} answers {status}: {reason}")]
    Unexpected {
        /// What was asked for.
        url: String,
        /// Code and phrase.
        status: String,
        /// What it says.
        reason: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; there are {}", names.join(", ")) }
}

impl Classify for EndpointError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Url { .. } | Self::Client { .. } | Self::Denied { .. } | Self::NoList { .. } => ExitCode::Usage,
            Self::Ambiguous { names, .. } if !names.is_empty() => ExitCode::Usage,
            Self::UnknownModel { .. } | Self::Unexpected { .. } => ExitCode::Input,
            Self::Ambiguous { .. } | Self::Unreachable { .. } | Self::NotReady { .. } => ExitCode::Retry,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Url { .. } => "give the endpoint as in http://127.0.0.1:8080",
            Self::Client { .. } => return None,
            Self::Unreachable { .. } | Self::NotReady { .. } => {
                "check that the predictor runs and start the same command again"
            }
            Self::Denied { .. } => "give a file with a token that the endpoint accepts with --token-file",
            Self::NoList { .. } => "name the model with --model",
            Self::Ambiguous { names, .. } if names.is_empty() => "deploy one and start the same command again",
            Self::Ambiguous { .. } => "name one of them with --model",
            Self::UnknownModel { .. } => "name one that is there with --model",
            Self::Unexpected { .. } => {
                "check that the endpoint speaks the protocol, and name the other one with --protocol; behind an \
                 ingress, name the service with --host-header"
            }
        };
        Some(hint.to_owned())
    }
}
