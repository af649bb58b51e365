//! Keeping clients out by a policy of the cluster.

mod policy;

use std::collections::BTreeMap;

use clap::{Args, Parser};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, ValidationDirective};
use kube::core::discovery::ApiResource;
use serde_json::Value;
use weir_blocklist::enforce::{EnforceError, Enforcer};
use weir_contract::blocklist::Block;
use weir_stage::{CommonArgs, Failure, Stage};

use crate::cluster::{Cluster, ClusterArgs, Doing, MANAGER, kinds};
use crate::manifest::object;

use policy::PolicyKind;

/// Names of the enforcers.
const NETWORK_POLICY: &str = "network-policy";
const CILIUM: &str = "cilium";

/// The policy that keeps clients out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Policy options")]
pub struct PolicyArgs {
    /// Name of the policy
    #[arg(long, value_name = "NAME", default_value = "weir-blocklist")]
    pub policy: String,

    /// Labels of the pods that are protected, as in app=web,tier=front
    #[arg(long, value_name = "LABELS", value_delimiter = ',', value_parser = label)]
    pub selector: Vec<(String, String)>,

    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Arguments of a command of weir-blocklist, with those of the policies that it may enforce by.
#[derive(Debug, Clone, Parser)]
pub struct WithPolicy<T: Args + std::fmt::Debug + Clone> {
    /// The command's own.
    #[command(flatten)]
    pub inner: T,

    /// The policy.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

impl<T: Args + std::fmt::Debug + Clone + AsRef<CommonArgs>> AsRef<CommonArgs> for WithPolicy<T> {
    fn as_ref(&self) -> &CommonArgs {
        self.inner.as_ref()
    }
}

/// The enforcers `network-policy` and `cilium`, by name.
pub fn policy_enforcers(
    args: &PolicyArgs,
    stage: &Stage,
) -> impl Fn(&str) -> Result<Option<Box<dyn Enforcer>>, Failure> {
    |name| {
        let kind = match name {
            NETWORK_POLICY => PolicyKind::NetworkPolicy,
            CILIUM => PolicyKind::Cilium,
            _ => return Ok(None),
        };
        Ok(Some(Box::new(PolicyEnforcer::connect(kind, args, stage)?)))
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected a label such as app=web".to_owned()),
    }
}

/// Keeps clients out by a policy on the pods that they reach. Who is blocked until when stands in an annotation of the
/// policy, since a policy ends by nobody's clock; so a block ends with the first enforcement after its time.
struct PolicyEnforcer {
    cluster: Cluster,
    stage: Stage,
    kind: PolicyKind,
    name: String,
    selector: Vec<(String, String)>,
}

impl PolicyEnforcer {
    /// Connects to the cluster; nothing is asked yet.
    ///
    /// # Errors
    /// Failures of usage where no pods are named, and for credentials that are not there or cannot be used.
    fn connect(kind: PolicyKind, args: &PolicyArgs, stage: &Stage) -> Result<Self, Failure> {
        if args.selector.is_empty() {
            return Err(Failure::usage("no pods to protect").hint(
                "name their labels with --selector, as in --selector app=web, and their namespace with --namespace",
            ));
        }
        let cluster = Cluster::connect(&args.cluster)?;
        Ok(Self { cluster, stage: stage.clone(), kind, name: args.policy.clone(), selector: args.selector.clone() })
    }

    fn outside(&self, failure: Failure) -> EnforceError {
        let Failure { code, message, hint } = failure;
        let reason = hint.map_or_else(|| message.clone(), |hint| format!("{message} ({hint})"));
        EnforceError::Outside { enforcer: self.name().to_owned(), reason, code }
    }

    fn resource(&self) -> (ApiResource, &'static str) {
        match self.kind {
            PolicyKind::NetworkPolicy => (kinds::network_policy(), "networkpolicies.networking.k8s.io"),
            PolicyKind::Cilium => (kinds::cilium_network_policy(), "ciliumnetworkpolicies.cilium.io"),
        }
    }

    /// The policy as it is, if there is one.
    fn read(&self) -> Result<Option<Value>, Failure> {
        let (resource, plural) = self.resource();
        let found = self.cluster.wait(&self.stage, async {
            let found = self.cluster.custom(&resource).get_opt(&self.name).await;
            found.map_err(self.cluster.failed(Doing::new("get", plural, &self.name)))
        })?;
        found.map(|object| serde_json::to_value(object).map_err(|error| Failure::retry(error.to_string()))).transpose()
    }

    fn blocked(&self) -> Result<Vec<Block>, Failure> {
        let Some(object) = self.read()? else { return Ok(Vec::new()) };
        policy::blocks(&object).map_err(|reason| {
            Failure::input(format!(
                "the policy {} in namespace {} is not as weir left it: {reason}",
                self.name, self.cluster.namespace
            ))
            .hint("look at it; delete it to begin anew, or name another with --policy")
        })
    }

    /// Refuses a NetworkPolicy beside others, with which it would let in whom they keep out.
    fn alone(&self) -> Result<(), Failure> {
        let selector: Vec<String> = self.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let selector = selector.join(",");
        let (pods, policies) = self.cluster.wait(&self.stage, async {
            let params = ListParams::default().labels(&selector);
            let pods = self.cluster.api::<Pod>().list(&params).await;
            let pods = pods.map_err(self.cluster.failed(Doing::new("list", "pods", "")))?;
            let policies = self.cluster.api::<NetworkPolicy>().list(&ListParams::default()).await;
            let doing = Doing::new("list", "networkpolicies.networking.k8s.io", "");
            Ok((pods, policies.map_err(self.cluster.failed(doing))?))
        })?;
        // Without pods, whatever the selector says.
        let mut labels: Vec<BTreeMap<String, String>> = pods.items.iter().map(|pod| pod.labels().clone()).collect();
        labels.push(self.selector.iter().cloned().collect());
        let other = labels.iter().find_map(|labels| policy::restricting(&policies.items, &self.name, labels));
        let Some(other) = other else { return Ok(()) };
        Err(Failure::usage(format!(
            "the policy {other} in namespace {} says who may reach {selector}, and a NetworkPolicy beside it would let in everybody else",
            self.cluster.namespace
        ))
        .hint("with Cilium use --enforcer cilium, which denies; otherwise block on the nodes or at the load balancer"))
    }

    fn write(&self, blocks: &[Block]) -> Result<(), Failure> {
        let (resource, plural) = self.resource();
        if blocks.is_empty() {
            return self.cluster.wait(&self.stage, async {
                match self.cluster.custom(&resource).delete(&self.name, &DeleteParams::default()).await {
                    Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
                    other => other.map(|_| ()).map_err(self.cluster.failed(Doing::new("delete", plural, &self.name))),
                }
            });
        }
        if self.kind == PolicyKind::NetworkPolicy {
            self.alone()?;
        }
        let manifest = policy::manifest(self.kind, &self.name, &self.cluster.namespace, &self.selector, blocks)?;
        let patch = Patch::Apply(object(manifest)?);
        // A Cilium that does not know `enableDefaultDeny` would drop it and shut everybody out.
        let strict = Some(ValidationDirective::Strict);
        let params = PatchParams { field_validation: strict, ..PatchParams::apply(MANAGER).force() };
        self.cluster.wait(&self.stage, async {
            let applied = self.cluster.custom(&resource).patch(&self.name, &params, &patch).await;
            applied.map(drop).map_err(self.cluster.failed(Doing::new("patch", plural, &self.name)))
        })
    }
}

impl Enforcer for PolicyEnforcer {
    fn name(&self) -> &str {
        match self.kind {
            PolicyKind::NetworkPolicy => NETWORK_POLICY,
            PolicyKind::Cilium => CILIUM,
        }
    }

    fn ends_blocks(&self) -> bool {
        false
    }

    fn most(&self) -> usize {
        policy::MOST
    }

    fn current(&mut self, _now: i64) -> Result<Vec<Block>, EnforceError> {
        self.blocked().map_err(|failure| self.outside(failure))
    }

    fn replace(&mut self, blocks: &[Block], _now: i64) -> Result<(), EnforceError> {
        self.write(blocks).map_err(|failure| self.outside(failure))
    }
}
