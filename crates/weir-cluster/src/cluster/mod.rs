//! A connection to a cluster: one client, one namespace, one thread that everything asynchronous runs on.

mod connect;
mod explain;
mod lookup;

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use futures_util::future::{Either, select};
use kube::api::DynamicObject;
use kube::core::NamespaceResourceScope;
use kube::discovery::ApiResource;
use kube::{Api, Client, Resource};
use tokio::runtime::{Builder, Runtime};
use weir_stage::{Failure, Stage};

pub(crate) use explain::{Doing, explain};

/// The field manager of everything that is applied.
pub(crate) const MANAGER: &str = "weir";
/// Where Weir lives, unless somebody says otherwise.
pub(crate) const NAMESPACE: &str = "weir";
/// Longest time between Ctrl-C and its effect.
const LOOK: Duration = Duration::from_millis(50);

/// How a cluster is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Cluster options")]
pub struct ClusterArgs {
    /// File with addresses and credentials of clusters [default: $KUBECONFIG, else ~/.kube/config, else the cluster that
    /// the command runs in]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Which context of that file [default: its current one]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// Namespace [default: weir; in a cluster, the pod's own]
    #[arg(long, short, value_name = "NAME")]
    pub namespace: Option<String>,
}

impl ClusterArgs {
    /// The namespace that manifests name when no cluster is asked.
    pub(crate) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or(NAMESPACE)
    }
}

/// A cluster that can be asked.
pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    /// Its address, for errors.
    pub(crate) server: String,
    /// Whether this process is a pod of the cluster, and can reach its services by name.
    pub(crate) inside: bool,
    runtime: Runtime,
}

impl Cluster {
    /// Reads credentials and sets up the client; nothing is sent yet.
    ///
    /// # Errors
    /// Failures of usage for credentials that are not there or cannot be used.
    pub(crate) fn connect(args: &ClusterArgs) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::retry(format!("failed to start a runtime: {error}")))?;
        let connected = runtime.block_on(connect::connect(args))?;
        let connect::Connected { client, namespace, server, inside } = connected;
        Ok(Self { client, namespace, server, inside, runtime })
    }

    /// Waits for `work`, unless Ctrl-C or SIGTERM comes first.
    ///
    /// # Errors
    /// Those of `work`, and [`Failure::interrupted`].
    pub(crate) fn wait<T>(&self, stage: &Stage, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        stage.check()?;
        self.runtime.block_on(async {
            match select(pin!(work), pin!(cancelled(stage))).await {
                Either::Left((done, _)) => done,
                Either::Right(((), _)) => Err(Failure::interrupted()),
            }
        })
    }

    /// Waits for `work` whatever happens: it cleans up.
    pub(crate) fn finish<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Objects of a kind that k8s-openapi knows, in the namespace.
    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Objects of a custom kind in the namespace.
    pub(crate) fn custom(&self, kind: &ApiResource) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, kind)
    }

    /// For `map_err` on a request.
    pub(crate) fn failed<'a>(&'a self, doing: Doing<'a>) -> impl Fn(kube::Error) -> Failure + 'a {
        move |error| explain(&error, &doing, &self.server, &self.namespace)
    }
}

async fn cancelled(stage: &Stage) {
    while !stage.is_cancelled() {
        tokio::time::sleep(LOOK).await;
    }
}

/// The kinds of Argo and KServe that are used here.
pub(crate) mod kinds {
    use super::ApiResource;

    pub(crate) fn workflow() -> ApiResource {
        argo("Workflow", "workflows")
    }

    pub(crate) fn workflow_template() -> ApiResource {
        argo("WorkflowTemplate", "workflowtemplates")
    }

    pub(crate) fn inference_service() -> ApiResource {
        kind("serving.kserve.io", "v1beta1", "InferenceService", "inferenceservices")
    }

    pub(crate) fn network_policy() -> ApiResource {
        kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
    }

    pub(crate) fn cilium_network_policy() -> ApiResource {
        kind("cilium.io", "v2", "CiliumNetworkPolicy", "ciliumnetworkpolicies")
    }

    fn argo(name: &str, plural: &str) -> ApiResource {
        kind("argoproj.io", "v1alpha1", name, plural)
    }

    fn kind(group: &str, version: &str, name: &str, plural: &str) -> ApiResource {
        ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: format!("{group}/{version}"),
            kind: name.to_owned(),
            plural: plural.to_owned(),
        }
    }
}
