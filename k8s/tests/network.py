"""What the network policies of an overlay let through, by an evaluation of their selectors and ports."""

COMPONENT = "app.kubernetes.io/component"
NAMESPACE = "kubernetes.io/metadata.name"


def part(component, **more):
    return {COMPONENT: component, "app.kubernetes.io/part-of": "weir", **more}, None


def step(component):
    return part(component, **{"workflows.argoproj.io/workflow": "weir-x"})


# Name -> (labels of the pod, labels of its namespace, or none where that is ours)
PEERS = {
    **{name: step(name) for name in ("features", "training", "selection", "packaging", "deploy", "validation", "notify")},
    **{name: step(name) for name in ("block-fetch", "block-detect", "block-enforce", "block-remove", "block-notify")},
    **{name: part(name) for name in ("predictor", "monitor", "event-source", "sensor", "event-bus")},
    "dns": ({"k8s-app": "kube-dns"}, {NAMESPACE: "kube-system"}),
    "internet": ({}, {}),
    "prometheus": ({"app.kubernetes.io/name": "prometheus"}, {NAMESPACE: "monitoring"}),
    "grafana": ({"app.kubernetes.io/name": "grafana"}, {NAMESPACE: "monitoring"}),
    "client": ({}, {NAMESPACE: "shop", "weir-client": "true"}),
    "events": ({}, {NAMESPACE: "collector", "weir-events": "true"}),
    "gateway": ({"app": "istio-ingressgateway"}, {NAMESPACE: "istio-system"}),
    "pipelines": ({"pipelines.kubeflow.org/v2_component": "true"}, None),
    "notebook": ({"notebook-name": "n"}, None),
}

ALL = {"local", "local-full", "s3", "s3-full", "kubeflow"}
S3 = {"s3", "s3-full", "kubeflow"}
FULL = {"local-full", "s3-full"}
KUBEFLOW = {"kubeflow"}
NONE = set()

# (from, to, port, overlays in which it passes)
CONNECTIONS = [
    ("features", "dns", 53, ALL),
    ("training", "dns", 53, ALL),
    ("predictor", "dns", 53, ALL),
    ("training", "dns", 9153, NONE),
    # Argo's executor; flows and a webhook by HTTPS.
    ("features", "internet", 6443, ALL),
    ("training", "internet", 443, ALL),
    ("notify", "internet", 443, ALL),
    ("predictor", "internet", 6443, NONE),
    ("training", "internet", 22, NONE),
    # Flows by HTTP.
    ("features", "internet", 80, ALL),
    ("training", "internet", 80, NONE),
    ("predictor", "internet", 80, NONE),
    # The store.
    ("training", "internet", 9000, S3),
    ("selection", "internet", 8333, S3),
    ("predictor", "internet", 9000, S3),
    ("predictor", "internet", 443, S3),
    # The blocklist: logs by URL, mail, a webhook; what the cluster is asked for goes where every executor may go.
    ("block-fetch", "internet", 80, FULL),
    ("block-fetch", "internet", 25, NONE),
    ("block-enforce", "internet", 6443, ALL),
    ("block-enforce", "internet", 80, NONE),
    ("block-remove", "internet", 6443, ALL),
    ("block-remove", "internet", 80, NONE),
    ("block-notify", "internet", 25, FULL),
    ("block-notify", "internet", 587, FULL),
    ("block-notify", "internet", 80, NONE),
    ("block-detect", "internet", 25, NONE),
    ("block-detect", "predictor", 8080, NONE),
    # The predictor.
    ("deploy", "predictor", 8080, ALL),
    ("validation", "predictor", 8080, ALL),
    ("monitor", "predictor", 8080, ALL),
    ("client", "predictor", 8080, ALL),
    ("client", "predictor", 9000, NONE),
    ("features", "predictor", 8080, NONE),
    ("training", "predictor", 8080, NONE),
    ("internet", "predictor", 8080, NONE),
    ("events", "predictor", 8080, NONE),
    ("prometheus", "predictor", 8080, FULL),
    ("grafana", "predictor", 8080, NONE),
    # Nobody asks a step.
    ("training", "features", 8080, NONE),
    ("internet", "features", 8080, NONE),
    ("client", "packaging", 8080, NONE),
    # Events.
    ("events", "event-source", 12000, FULL),
    ("monitor", "event-source", 12000, FULL),
    ("client", "event-source", 12000, NONE),
    ("training", "event-source", 12000, NONE),
    ("event-source", "event-bus", 4222, FULL),
    ("sensor", "event-bus", 4222, FULL),
    ("event-bus", "event-bus", 6222, FULL),
    ("event-source", "event-bus", 6222, NONE),
    ("training", "event-bus", 4222, NONE),
    ("internet", "event-bus", 4222, NONE),
    ("sensor", "internet", 6443, FULL),
    ("sensor", "predictor", 8080, NONE),
    ("event-source", "internet", 443, NONE),
    ("event-source", "internet", 9000, {"s3-full"}),
    ("event-bus", "internet", 443, NONE),
    # The other tenants of a namespace of Kubeflow.
    ("pipelines", "predictor", 8080, KUBEFLOW),
    ("gateway", "predictor", 8080, KUBEFLOW),
    ("notebook", "internet", 22, KUBEFLOW),
    ("notebook", "predictor", 8080, NONE),
]


def problems(overlay, policies):
    """Connections that pass and should not, or the reverse."""
    for source, target, port, where in CONNECTIONS:
        expected = overlay in where
        if passes(policies, PEERS[source], PEERS[target], port) != expected:
            yield f"network: {source} to {target}:{port} should {'pass' if expected else 'not pass'}"


def passes(policies, source, target, port):
    """Whether a connection is let out where it begins and let in where it ends. Pods elsewhere are not ours to close."""
    leaves = source[1] is not None or opened(policies, "Egress", source, target, port)
    return leaves and (target[1] is not None or opened(policies, "Ingress", target, source, port))


def opened(policies, direction, pod, other, port):
    specs = [policy["spec"] for policy in policies]
    specs = [of for of in specs if direction in of["policyTypes"] and selects(of["podSelector"], pod[0])]
    if not specs:
        return True
    rules = [rule for of in specs for rule in of.get(direction.lower(), [])]
    end = "to" if direction == "Egress" else "from"
    return any(
        (end not in rule or any(is_peer(of, other) for of in rule[end]))
        and ("ports" not in rule or any(of["port"] == port for of in rule["ports"]))
        for rule in rules
    )


def is_peer(selector, other):
    pod, namespace = other
    if "namespaceSelector" in selector:
        inside = namespace is not None and selects(selector["namespaceSelector"], namespace)
    else:
        inside = namespace is None
    return inside and selects(selector.get("podSelector", {}), pod)


def selects(selector, labels):
    exact = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return exact and all(
        {"Exists": of["key"] in labels, "In": labels.get(of["key"]) in of.get("values", [])}[of["operator"]]
        for of in selector.get("matchExpressions", [])
    )
