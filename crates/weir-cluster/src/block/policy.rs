//! The policy object that keeps addresses out, and what is read back from one.

use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::core::{Selector, SelectorExt};
use serde_json::{Value, json};
use weir_blocklist::out::{PolicyTarget, cilium_network_policy, network_policy};
use weir_contract::blocklist::Block;
use weir_stage::Failure;

use crate::manifest::labels;

/// Who is kept out and until when, as JSON: a policy itself knows no end.
pub(super) const BLOCKED: &str = "weir/blocked";

/// What a cluster keeps an address out with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PolicyKind {
    /// NetworkPolicy: everybody but them is let in, so no other policy may restrict the pods
    NetworkPolicy,
    /// CiliumNetworkPolicy: denies them, whatever other policies allow
    Cilium,
}

/// Longest annotations of an object, bytes; what an API server takes.
const ANNOTATIONS: usize = 256 << 10;
/// How many addresses a policy names at most: as many as fit, however long they are.
pub(super) const MOST: usize = 3_000;

/// The policy for `blocks` on the pods that `selector` names.
///
/// # Errors
/// A failure of usage where there are more addresses than an object can name.
pub(super) fn manifest(
    kind: PolicyKind,
    name: &str,
    namespace: &str,
    selector: &[(String, String)],
    blocks: &[Block],
) -> Result<Value, Failure> {
    let blocked = serde_json::to_string(blocks).map_err(|error| Failure::retry(error.to_string()))?;
    if blocked.len() + BLOCKED.len() > ANNOTATIONS {
        return Err(Failure::usage(format!(
            "{} addresses are more than one policy of Kubernetes can name, at least {}",
            blocks.len(),
            MOST
        ))
        .hint("block shorter, or block on the hosts with nftables"));
    }
    let target = PolicyTarget {
        name: name.to_owned(),
        namespace: Some(namespace.to_owned()),
        selector: selector.iter().cloned().collect(),
    };
    let policy = match kind {
        PolicyKind::NetworkPolicy => Some(network_policy(blocks, &target)),
        PolicyKind::Cilium => cilium_network_policy(blocks, &target),
    };
    let mut policy = policy.ok_or_else(|| Failure::usage("a policy that keeps nobody out is none"))?;
    policy["metadata"]["labels"] = labels(Some("blocklist"));
    policy["metadata"]["annotations"] = json!({BLOCKED: blocked});
    Ok(policy)
}

/// Who a policy that is there keeps out; nobody where there is none.
///
/// # Errors
/// What is wrong with a policy that was not made here, or was changed since.
pub(super) fn blocks(object: &Value) -> Result<Vec<Block>, String> {
    let text = object.pointer("/metadata/annotations").and_then(|all| all.get(BLOCKED)).and_then(Value::as_str);
    let text = text.ok_or_else(|| format!("it has no annotation {BLOCKED}"))?;
    let blocks: Vec<Block> =
        serde_json::from_str(text).map_err(|error| format!("its annotation {BLOCKED} cannot be read: {error}"))?;
    let mut named: Vec<String> = blocks.iter().map(|block| block.address.to_string()).collect();
    let mut found = addresses(object);
    named.sort();
    found.sort();
    if named == found { Ok(blocks) } else { Err(format!("its addresses are not those of its annotation {BLOCKED}")) }
}

/// The addresses that the rules of a policy keep out.
fn addresses(object: &Value) -> Vec<String> {
    let texts = |values: Option<&Value>| -> Vec<String> {
        let values = values.and_then(Value::as_array).into_iter().flatten();
        let networks = values.filter_map(Value::as_str);
        networks.map(|network| network.rsplit_once('/').map_or(network, |(address, _)| address).to_owned()).collect()
    };
    let except = object.pointer("/spec/ingress/0/from").and_then(Value::as_array).into_iter().flatten();
    let mut all: Vec<String> = except.flat_map(|from| texts(from.pointer("/ipBlock/except"))).collect();
    all.extend(texts(object.pointer("/spec/ingressDeny/0/fromCIDR")));
    all
}

/// Another policy that lets only some in to a pod that carries `labels`: beside it ours would let in everybody else.
pub(super) fn restricting<'a>(
    policies: &'a [NetworkPolicy],
    own: &str,
    labels: &std::collections::BTreeMap<String, String>,
) -> Option<&'a str> {
    policies.iter().find_map(|policy| {
        let name = policy.metadata.name.as_deref()?;
        let spec = policy.spec.as_ref()?;
        // Without types, a policy is about ingress.
        let ingress = spec.policy_types.as_ref().is_none_or(|types| types.iter().any(|kind| kind == "Ingress"));
        // A selector that cannot be read is taken to select.
        let selector = spec.pod_selector.clone().unwrap_or_default();
        let selects = Selector::try_from(selector).map_or(true, |selector| selector.matches(labels));
        (name != own && ingress && selects).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn block(address: &str, until: i64) -> Block {
        Block { address: address.parse().unwrap(), until }
    }

    fn web() -> Vec<(String, String)> {
        vec![("app".to_owned(), "web".to_owned())]
    }

    fn of(kind: PolicyKind, blocks: &[Block]) -> Value {
        manifest(kind, "weir-blocklist", "shop", &web(), blocks).unwrap()
    }

    #[test]
    fn a_network_policy_lets_in_everybody_else() {
        let policy = of(PolicyKind::NetworkPolicy, &[block("192.0.2.7", 9), block("2001:db8::7", 8)]);
        let from = json!([
            {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["192.0.2.7/32"]}},
            {"ipBlock": {"cidr": "::/0", "except": ["2001:db8::7/128"]}},
            {"namespaceSelector": {}},
        ]);
        assert_eq!(policy["spec"]["ingress"][0]["from"], from);
        assert_eq!(policy["spec"]["podSelector"]["matchLabels"], json!({"app": "web"}));
    }

    #[test]
    fn cilium_denies_them_and_isolates_nobody() {
        let policy = of(PolicyKind::Cilium, &[block("192.0.2.7", 9)]);
        assert_eq!(policy["spec"]["ingressDeny"], json!([{"fromCIDR": ["192.0.2.7/32"]}]));
        assert_eq!(policy["spec"]["enableDefaultDeny"]["ingress"], false);
        assert_eq!(policy["spec"].get("ingress"), None);
    }

    #[test]
    fn what_was_written_is_read_back_with_its_end() {
        let all = [block("192.0.2.7", 9), block("2001:db8::7", 8)];
        for kind in [PolicyKind::NetworkPolicy, PolicyKind::Cilium] {
            assert_eq!(blocks(&of(kind, &all)).unwrap(), all);
            let mut foreign = of(kind, &all);
            foreign["metadata"]["annotations"] = json!({});
            assert!(blocks(&foreign).unwrap_err().contains("no annotation"));
        }
        let mut changed = of(PolicyKind::NetworkPolicy, &all);
        changed["spec"]["ingress"][0]["from"][0]["ipBlock"]["except"] = json!([]);
        assert!(blocks(&changed).unwrap_err().contains("not those of its annotation"));
    }

    #[test]
    fn as_many_as_are_asked_for_fit() {
        let block = |each: u128| Block { address: std::net::Ipv6Addr::from(u128::MAX - each).into(), until: i64::MAX };
        let most: Vec<Block> = (0..MOST as u128).map(block).collect();
        assert_eq!(blocks(&of(PolicyKind::Cilium, &most)).unwrap(), most);
    }

    #[test]
    fn more_addresses_than_an_object_can_hold_are_refused() {
        let many: Vec<Block> =
            (0..20_000_u32).map(|each| Block { address: std::net::Ipv4Addr::from(each).into(), until: 9 }).collect();
        let refused = manifest(PolicyKind::Cilium, "a", "b", &web(), &many).unwrap_err();
        assert!(refused.message.starts_with("20000 addresses are more than one policy"), "{refused}");
    }

    #[test]
    fn another_policy_on_the_same_pods_is_found() {
        let policy = |name: &str, spec: Value| -> NetworkPolicy {
            serde_json::from_value(json!({"metadata": {"name": name}, "spec": spec})).unwrap()
        };
        let labels: BTreeMap<String, String> = web().into_iter().collect();
        let find = |policies: &[NetworkPolicy]| restricting(policies, "weir-blocklist", &labels).map(str::to_owned);
        let own = policy("weir-blocklist", json!({"podSelector": {}, "policyTypes": ["Ingress"]}));
        let egress = policy("out", json!({"podSelector": {}, "policyTypes": ["Egress"]}));
        let db = policy("db", json!({"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"]}));
        assert_eq!(find(&[own.clone(), egress, db]), None);
        let all = policy("default-deny", json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
        assert_eq!(find(&[own, all]).as_deref(), Some("default-deny"));
        let expression = json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]});
        assert_eq!(find(&[policy("front", json!({"podSelector": expression}))]).as_deref(), Some("front"));
    }
}
