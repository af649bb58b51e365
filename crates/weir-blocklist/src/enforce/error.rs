//! What can go wrong when somebody is kept out.

use std::io;

use weir_contract::{Classify, ExitCode};

use crate::state::StateError;

/// Why what is enforced could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnforceError {
    /// A program is not installed.
    #[error("the program {program} was not found")]
    NoProgram {
        /// Its name.
        program: &'static str,
    },
    /// A program could not be started or spoken to.
    #[error("failed to run {program}")]
    Start {
        /// Its name.
        program: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The kernel does not let us.
    #[error("{program} is not permitted: {stderr}")]
    NotPermitted {
        /// The program.
        program: &'static str,
        /// What it says.
        stderr: String,
    },
    /// The kernel has no such thing.
    #[error("the kernel does not do what {program} asks of it: {stderr}")]
    Unsupported {
        /// The program.
        program: &'static str,
        /// What it says.
        stderr: String,
    },
    /// A program failed otherwise.
    #[error("{program} failed with {status}: {stderr}")]
    Failed {
        /// The program.
        program: &'static str,
        /// How it ended.
        status: String,
        /// What it says.
        stderr: String,
    },
    /// A program did not end in time.
    #[error("{program} did not end within {seconds} s")]
    TimedOut {
        /// The program.
        program: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// The answer of a program makes no sense.
    #[error("{program} gave an answer that cannot be read: {reason}")]
    Answer {
        /// The program.
        program: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// An enforcer took the blocks and then keeps out others.
    #[error("{enforcer} was told to keep out {expected} addresses and keeps out {found}: {example}")]
    Mismatch {
        /// The enforcer.
        enforcer: String,
        /// How many it should.
        expected: usize,
        /// How many it does.
        found: usize,
        /// An address that is missing, too many or blocked for too long, and which of them.
        example: String,
    },
    /// An enforcer from elsewhere failed.
    #[error("{enforcer} failed: {reason}")]
    Outside {
        /// The enforcer.
        enforcer: String,
        /// What is wrong.
        reason: String,
        /// How the process has to end.
        code: ExitCode,
    },
    /// A change failed, and so did its undoing.
    #[error("{cause}; putting back what was enforced before failed, too: {error}")]
    NotRestored {
        /// Why the change failed.
        cause: Box<EnforceError>,
        /// Why it could not be undone.
        error: Box<EnforceError>,
    },
    /// What has our name is somebody else's; it was not touched.
    #[error("{what} is not weir's: {reason}")]
    Foreign {
        /// The table or set.
        what: String,
        /// What it has that ours has not.
        reason: String,
    },
    /// An enforcer could not be told to let somebody in.
    #[error("{enforcer} let nobody in: {cause}")]
    StillOut {
        /// The enforcer.
        enforcer: String,
        /// What is wrong.
        #[source]
        cause: Box<EnforceError>,
    },
    /// Somebody was let in, and the state directory does not say so.
    #[error("the blocklist does not say who was let in, and the next run may block them again: {cause}")]
    NotRecorded {
        /// What is wrong.
        #[source]
        cause: StateError,
    },
    /// The host's own addresses could not be found out.
    #[error("failed to read the host's own addresses from {path}")]
    OwnAddresses {
        /// The file.
        path: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The state directory.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Classify for EnforceError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoProgram { .. } | Self::NotPermitted { .. } | Self::Unsupported { .. } | Self::Foreign { .. } => {
                ExitCode::Usage
            }
            Self::Outside { code, .. } => *code,
            Self::StillOut { cause, .. } => cause.exit_code(),
            Self::State(error) | Self::NotRecorded { cause: error } => error.exit_code(),
            Self::Start { .. }
            | Self::Failed { .. }
            | Self::TimedOut { .. }
            | Self::Answer { .. }
            | Self::Mismatch { .. }
            | Self::NotRestored { .. }
            | Self::OwnAddresses { .. } => ExitCode::Retry,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoProgram { program: "nft" } => {
                "install nftables, or choose another way with --enforcer ipset or --enforcer none"
            }
            Self::NoProgram { .. } => {
                "install ipset and iptables, or choose another way with --enforcer nftables or --enforcer none"
            }
            Self::NotPermitted { .. } => {
                "run it as root or with the capability CAP_NET_ADMIN; without --apply it only shows what it would do"
            }
            Self::Unsupported { .. } => {
                "the kernel needs nf_tables (for --enforcer nftables) or ip_set and xt_set (for --enforcer ipset)"
            }
            Self::Mismatch { .. } => "see whether another program changes the same table or sets",
            Self::NotRestored { .. } => {
                "look at `nft list table inet weir` or `ipset list`; `weir block remove --all` takes every block away"
            }
            Self::Foreign { .. } => "give it another name or take it away, or choose another way with --enforcer",
            Self::StillOut { enforcer, cause } => match (cause.as_ref(), enforcer.as_str()) {
                (Self::Failed { .. } | Self::TimedOut { .. } | Self::NotRestored { .. }, "nftables") => {
                    "`nft delete table inet weir` lets in everybody whom it keeps out; then repeat the command"
                }
                (Self::Failed { .. } | Self::TimedOut { .. } | Self::NotRestored { .. }, "ipset") => {
                    "`iptables -t raw -D PREROUTING -m set --match-set weir4 src -j DROP` and the same of ip6tables with weir6 \
                     let in everybody whom it keeps out; then repeat the command"
                }
                _ => return cause.hint(),
            },
            Self::NotRecorded { cause } => return cause.hint(),
            Self::OwnAddresses { .. } => "the files of /proc/net have to be readable",
            Self::State(error) => return error.hint(),
            Self::Start { .. }
            | Self::Failed { .. }
            | Self::TimedOut { .. }
            | Self::Answer { .. }
            | Self::Outside { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
