//! Policies of a cluster that let in everybody but those who are blocked.
//!
//! They see the client's address only where it reaches the pod: behind a load balancer with
//! `externalTrafficPolicy: Cluster` it does not. Policies of Kubernetes add up: another one that lets a blocked client in
//! still does. Cilium's denial goes before what others allow.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use weir_contract::blocklist::Block;

/// The pods that a policy protects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTarget {
    /// Name of the policy.
    pub name: String,
    /// Namespace; where there is none it is that of whoever applies the policy.
    pub namespace: Option<String>,
    /// Labels of the pods; all of the namespace where there are none.
    pub selector: BTreeMap<String, String>,
}

impl Default for PolicyTarget {
    /// `weir-blocklist`, all pods of the namespace that it is applied to.
    fn default() -> Self {
        Self { name: "weir-blocklist".to_owned(), namespace: None, selector: BTreeMap::new() }
    }
}

/// What has no form in YAML; no [`Value`] is known that has none.
#[derive(Debug, thiserror::Error)]
#[error("cannot write YAML: {0}")]
pub struct YamlError(#[from] serde_saphyr::ser::Error);

/// A `NetworkPolicy` of `networking.k8s.io/v1`: in come all other addresses, and, for clusters where an `ipBlock` does not
/// mean pods, every pod.
#[must_use]
pub fn network_policy(blocks: &[Block], target: &PolicyTarget) -> Value {
    let (four, six) = cidrs(blocks);
    let peer = |all: &str, except: Vec<String>| match except.as_slice() {
        [] => json!({"ipBlock": {"cidr": all}}),
        except => json!({"ipBlock": {"cidr": all, "except": except}}),
    };
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(target),
        "spec": {
            "podSelector": selector(target),
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [peer("0.0.0.0/0", four), peer("::/0", six), {"namespaceSelector": {}}]}],
        },
    })
}

/// A `CiliumNetworkPolicy` of `cilium.io/v2` that denies what is blocked, whatever other policies allow. Without
/// `enableDefaultDeny`, which Cilium knows since 1.16, a policy would close the pod to whatever no policy allows; an API
/// server that validates refuses the field where Cilium is older. None where nobody is blocked: Cilium refuses a policy
/// without a rule.
#[must_use]
pub fn cilium_network_policy(blocks: &[Block], target: &PolicyTarget) -> Option<Value> {
    let (mut denied, six) = cidrs(blocks);
    denied.extend(six);
    if denied.is_empty() {
        return None;
    }
    let spec = json!({
        "endpointSelector": selector(target),
        "enableDefaultDeny": {"ingress": false},
        "ingressDeny": [{"fromCIDR": denied}],
    });
    Some(
        json!({"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": metadata(target), "spec": spec}),
    )
}

/// What a reader of the NetworkPolicy's file has to know, as comments of YAML.
pub const NETWORK_POLICY_NOTE: &str = "\
# Policies add up: a client that is left out here still comes in where another policy of these pods lets it in.
# It is left out by the address that the pod sees: a load balancer has to keep the client's (externalTrafficPolicy: Local).
";

/// What the CiliumNetworkPolicy's file says in place of a policy where nobody is blocked.
pub const NO_CILIUM_NETWORK_POLICY: &str = "\
# Nobody is blocked, so there is no policy. To end an earlier one: kubectl delete ciliumnetworkpolicy weir-blocklist
";

/// `value` as YAML in block style, a line feed at the end.
///
/// # Errors
/// [`YamlError`] from the emitter.
pub fn to_yaml(value: &Value) -> Result<String, YamlError> {
    Ok(serde_saphyr::to_string(value)?)
}

/// The blocked addresses as networks of one address, IPv4 and IPv6, sorted.
fn cidrs(blocks: &[Block]) -> (Vec<String>, Vec<String>) {
    let mut addresses: Vec<_> = blocks.iter().map(|block| block.address.to_canonical()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let (four, six): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv4());
    let cidr = |length: u8| move |address| format!("{address}/{length}");
    (four.iter().map(cidr(32)).collect(), six.iter().map(cidr(128)).collect())
}

fn metadata(target: &PolicyTarget) -> Value {
    match &target.namespace {
        None => json!({"name": target.name}),
        Some(namespace) => json!({"name": target.name, "namespace": namespace}),
    }
}

fn selector(target: &PolicyTarget) -> Value {
    match target.selector.is_empty() {
        true => json!({}),
        false => json!({"matchLabels": target.selector}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(addresses: &[&str]) -> Vec<Block> {
        addresses.iter().map(|address| Block { address: address.parse().unwrap(), until: 0 }).collect()
    }

    #[test]
    fn a_network_policy_lets_in_everybody_but_those_blocked() {
        let target = PolicyTarget {
            namespace: Some("shop".to_owned()),
            selector: BTreeMap::from([("app".to_owned(), "on".to_owned())]),
            ..PolicyTarget::default()
        };
        let policy = network_policy(&blocks(&["198.51.100.7", "2001:db8::1", "192.0.2.1"]), &target);
        let expected = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: weir-blocklist
  namespace: shop
spec:
  ingress:
  - from:
    - ipBlock:
        cidr: 0.0.0.0/0
        except:
        - 192.0.2.1/32
        - 198.51.100.7/32
    - ipBlock:
        cidr: \"::/0\"
        except:
        - 2001:db8::1/128
    - namespaceSelector: {}
  podSelector:
    matchLabels:
      app: \"on\"
  policyTypes:
  - Ingress
";
        let yaml = to_yaml(&policy).unwrap();
        assert_eq!(yaml, expected);
    }

    #[test]
    fn a_cilium_policy_denies_those_blocked_and_closes_nothing_else() {
        let policy = cilium_network_policy(&blocks(&["2001:db8::1", "192.0.2.1"]), &PolicyTarget::default()).unwrap();
        assert_eq!(policy["spec"]["ingressDeny"], json!([{"fromCIDR": ["192.0.2.1/32", "2001:db8::1/128"]}]));
        assert_eq!(policy["spec"]["enableDefaultDeny"], json!({"ingress": false}));
        assert!(policy["spec"].get("ingress").is_none());
    }

    #[test]
    fn without_blocks_there_is_nothing_to_deny() {
        let target = PolicyTarget::default();
        assert_eq!(cilium_network_policy(&[], &target), None);
        assert!(NO_CILIUM_NETWORK_POLICY.lines().all(|line| line.starts_with('#')), "nothing to apply");
        assert!(NO_CILIUM_NETWORK_POLICY.trim().ends_with(&target.name));
        assert!(!network_policy(&[], &target).to_string().contains("except"));
    }
}
