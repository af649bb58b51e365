//! Where the flows of a run are.

use std::str::FromStr;

/// Flows that a run can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// A path that the features step sees: in its image or on the volume.
    Path(String),
    /// An object in the bucket of the cluster's own artifact repository.
    Key(String),
    /// An object in any bucket that the credentials of the artifact repository open.
    S3 {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// A file on a server.
    Http(String),
}

impl FromStr for Data {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("s3://") {
            return match rest.split_once('/') {
                Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                    Ok(Self::S3 { bucket: bucket.to_owned(), key: key.to_owned() })
                }
                _ => Err("expected s3://bucket/key".to_owned()),
            };
        }
        if let Some(key) = text.strip_prefix("s3:") {
            let key = key.trim_start_matches('/');
            return if key.is_empty() { Err("expected s3:key".to_owned()) } else { Ok(Self::Key(key.to_owned())) };
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            return Ok(Self::Http(text.to_owned()));
        }
        if text.starts_with('/') && !text.split('/').any(|part| part == "..") {
            return Ok(Self::Path(text.to_owned()));
        }
        Err("expected s3://bucket/key, s3:key, http(s)://... or a path that starts with /; \
             a file of this machine has to be copied to one of these places first"
            .to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_that_a_cluster_reaches_is_understood_and_no_other() {
        assert_eq!("/weir/flows.csv".parse(), Ok(Data::Path("/weir/flows.csv".to_owned())));
        assert_eq!("s3:in/flows.csv".parse(), Ok(Data::Key("in/flows.csv".to_owned())));
        let s3 = Data::S3 { bucket: "b".to_owned(), key: "in/flows.csv".to_owned() };
        assert_eq!("s3://b/in/flows.csv".parse(), Ok(s3));
        assert_eq!("https://a.example/f.csv".parse(), Ok(Data::Http("https://a.example/f.csv".to_owned())));
        for wrong in ["flows.csv", "./flows.csv", "s3://b", "s3://b/", "s3:", "gs://b/k", "/weir/../etc/passwd", ""] {
            assert!(wrong.parse::<Data>().is_err(), "{wrong}");
        }
    }
}
