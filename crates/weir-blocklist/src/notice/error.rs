//! Why somebody was not told.

use weir_contract::{Classify, ExitCode};

/// A notice that did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// The name of a server has no address.
    #[error("failed to find the address of {host}: {reason}")]
    Lookup {
        /// The name.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// The mail server does not take the mail, or cannot be spoken to.
    #[error("{server} does not take the mail: {reason}")]
    Mail {
        /// Host and port.
        server: String,
        /// What it says, or what is wrong with the connection.
        reason: String,
        /// What to do.
        hint: Option<&'static str>,
    },
    /// The mail cannot be written.
    #[error("failed to write the mail: {reason}")]
    Message {
        /// What is wrong.
        reason: String,
    },
    /// The webhook does not take it, or cannot be reached.
    #[error("the webhook does not take it: {reason}")]
    Webhook {
        /// What is wrong; without the URL, which may be a secret.
        reason: String,
    },
    /// There is no client, runtime or thread.
    #[error("{reason}")]
    System {
        /// What is wrong.
        reason: String,
    },
}

impl Classify for NoticeError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Retry
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Lookup { .. } => "check notice.mail.server and /etc/resolv.conf, or give the address of the server",
            Self::Mail { hint, .. } => return hint.map(str::to_owned),
            Self::Webhook { .. } => "check notice.webhook; the notice is not sent again by itself",
            Self::Message { .. } | Self::System { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
