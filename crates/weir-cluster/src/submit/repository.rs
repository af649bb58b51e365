//! Where the cluster keeps artifacts: Argo's ConfigMap `artifact-repositories` in the namespace.

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};
use weir_stage::Failure;

use crate::cluster::{Cluster, Doing};

const NAME: &str = "artifact-repositories";
/// Which of the ConfigMap's keys is the default.
const DEFAULT: &str = "workflows.argoproj.io/default-artifact-repository";

/// An S3 store with a bucket, and the names of the secrets that open it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Repository(Value);

impl Repository {
    /// Reads the ConfigMap, if it names an S3 store.
    fn of(config: &ConfigMap) -> Option<Self> {
        let data = config.data.as_ref()?;
        let key = config.metadata.annotations.as_ref().and_then(|annotations| annotations.get(DEFAULT));
        let text = data.get(key.map_or("s3", String::as_str))?;
        let value: Value = serde_saphyr::from_str(text).ok()?;
        let s3 = value.get("s3").filter(|s3| s3["bucket"].is_string())?;
        Some(Self(s3.clone()))
    }

    pub(super) fn bucket(&self) -> &str {
        self.0["bucket"].as_str().unwrap_or_default()
    }

    /// An object of any bucket in this store.
    pub(super) fn location(&self, bucket: &str, key: &Value) -> Value {
        let mut location = self.0.clone();
        location["bucket"] = json!(bucket);
        location["key"] = key.clone();
        if let Some(members) = location.as_object_mut() {
            members.remove("keyFormat");
            members.remove("keyPrefix");
        }
        location
    }
}

/// The default artifact repository of the namespace.
///
/// # Errors
/// Failures of the cluster to tell.
pub(super) async fn default(cluster: &Cluster) -> Result<Option<Repository>, Failure> {
    let found = cluster.api::<ConfigMap>().get_opt(NAME).await;
    let found = found.map_err(cluster.failed(Doing::new("get", "configmaps", NAME)))?;
    Ok(found.as_ref().and_then(Repository::of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_elsewhere_in_the_store_keeps_its_address_and_secrets() {
        let config: ConfigMap = serde_json::from_value(json!({
            "metadata": {"annotations": {DEFAULT: "mine"}},
            "data": {"mine": "archiveLogs: true\ns3:\n  endpoint: minio:9000\n  bucket: weir\n  insecure: true\n  \
                keyFormat: logs\n  accessKeySecret: {name: weir-s3, key: accesskey}\n"},
        }))
        .unwrap();
        let repository = Repository::of(&config).unwrap();
        assert_eq!(repository.bucket(), "weir");
        assert_eq!(
            repository.location("other", &json!("in/flows.csv")),
            json!({"endpoint": "minio:9000", "bucket": "other", "insecure": true, "key": "in/flows.csv",
                "accessKeySecret": {"name": "weir-s3", "key": "accesskey"}})
        );
    }
}
