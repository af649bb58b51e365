//! What it takes to reach a store in a bucket.

use std::path::PathBuf;

use weir_stage::Stage;
use weir_store::{Access, Location, S3Access};

/// The access that the environment of the process gives.
pub(super) fn access(location: &Location, stage: &Stage) -> Access {
    if matches!(location, Location::Directory(_)) {
        return Access::default();
    }
    let get = |name: &str| stage.variable(name);
    let home = get("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(get("HOME")?).join(".cache")));
    Access {
        s3: Some(S3Access {
            endpoint: get("AWS_ENDPOINT_URL_S3").or_else(|| get("AWS_ENDPOINT_URL")),
            region: get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")),
            access_key: get("AWS_ACCESS_KEY_ID").unwrap_or_default(),
            secret_key: get("AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
            session_token: get("AWS_SESSION_TOKEN"),
            certificates: get("AWS_CA_BUNDLE").map(PathBuf::from),
        }),
        cache: Some(home.unwrap_or_else(std::env::temp_dir).join("weir")),
    }
}
