//! Where a store is, and what it takes to get there.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use weir_contract::{Classify, ExitCode};

/// Where a store is: a directory, or `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A directory of this machine.
    Directory(PathBuf),
    /// A bucket of an object store that speaks S3.
    S3 {
        /// Its name.
        bucket: String,
        /// What all keys start with, without `/` at either end; may be empty.
        prefix: String,
    },
}

/// A text that names no location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no feature store: expected a directory or s3://bucket/prefix")]
pub struct BadLocation(pub String);

impl Classify for BadLocation {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }
}

/// How to reach a store. The command layer fills it, from arguments and environment.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// How to reach `s3://`; needed there only.
    pub s3: Option<S3Access>,
    /// Where objects of a bucket are kept for reading; needed for `s3://` only. May be shared and removed at any time.
    pub cache: Option<PathBuf>,
}

/// An object store that speaks S3.
#[derive(Clone, Default)]
pub struct S3Access {
    /// Such as `http://127.0.0.1:9000` (`AWS_ENDPOINT_URL`); `None` is Amazon's own of the region. Buckets are
    /// addressed by path there.
    pub endpoint: Option<String>,
    /// `AWS_REGION`; `None` is `us-east-1`.
    pub region: Option<String>,
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_key: String,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: Option<String>,
    /// Certificate authorities in PEM (`AWS_CA_BUNDLE`); `None` is those of Mozilla.
    pub certificates: Option<PathBuf>,
}

/// Without the secrets.
impl fmt::Debug for S3Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, region, access_key, .. } = self;
        f.debug_struct("S3Access")
            .field("endpoint", endpoint)
            .field("region", region)
            .field("access_key", access_key)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(root) => root.display().fmt(f),
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

impl FromStr for Location {
    type Err = BadLocation;

    fn from_str(text: &str) -> Result<Self, BadLocation> {
        let bad = || BadLocation(text.to_owned());
        let Some(rest) = text.strip_prefix("s3://") else {
            // Another scheme is a slip, not a folder called `gs:`.
            return if text.is_empty() || text.contains("://") { Err(bad()) } else { Ok(Self::Directory(text.into())) };
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let parts = || prefix.split('/');
        if bucket.is_empty() || !prefix.is_empty() && parts().any(|part| matches!(part, "" | "." | "..")) {
            return Err(bad());
        }
        Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_directory_or_a_bucket_with_a_prefix() {
        for text in ["store", "/data/store", "s3://flows", "s3://flows/weir/store"] {
            assert_eq!(text.parse::<Location>().map(|location| location.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("s3://flows/".parse(), "s3://flows".parse::<Location>());
        for text in ["", "gs://flows", "s3://", "s3:///a", "s3://flows/a//b", "s3://flows/../b"] {
            assert_eq!(text.parse::<Location>(), Err(BadLocation(text.to_owned())));
        }
    }

    #[test]
    fn secrets_stay_out_of_debug_output() {
        let access = S3Access { secret_key: "hush".to_owned(), ..S3Access::default() };
        assert!(!format!("{access:?}").contains("hush"));
    }
}
