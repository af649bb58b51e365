"""Do the rendered overlays keep the promises of k8s/README.md?

    policies.py README MANIFESTS...      a file of manifests per overlay

Every pod is `restricted` and states what it needs, every image is ours, no secret has a value, every account is there,
rights are those of the README's table and no others, what a run has to leave to the next is on a claim that outlives it and changed
by one step at a time, and the network lets through what has to go through, nothing else.
"""

import itertools
import json
import pathlib
import re
import sys

import network
import validate

# Accounts of others: Kubeflow's.
FOREIGN_ACCOUNTS = {"default-editor"}
IMAGES = "features|training|selection|packaging|serving|monitor|cluster|blocklist"
OUR_IMAGE = re.compile(rf"^(\{{\{{[a-z.]+\}}\}}|[a-z0-9.:/-]+)/weir-({IMAGES}):\S+$")
SECRET_NAME = re.compile(r"(PASSWORD|SECRET|TOKEN|ACCESS_KEY|PRIVATE)", re.IGNORECASE)


def main(readme, paths):
    rights = rights_of(pathlib.Path(readme).read_text())
    problems = command_problems(rights, pathlib.Path(readme).resolve().parent.parent / "crates/weir-cluster/README.md")
    for path in paths:
        overlay = Overlay(pathlib.Path(path).stem, validate.read(path))
        found = overlay.problems(rights)
        problems += [f"{overlay.name}: {problem}" for problem in found]
        print(f"{overlay.name}: {len(overlay.documents)} manifests, {overlay.counted} containers, {len(found)} problems")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def rights_of(readme):
    """Role -> {(group, resource, resource name, verb)} from the table of the README."""
    rights = {}
    for line in readme.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 5 and cells[0].startswith("`weir-") and cells[4]:
            role, group, resources, verbs, _reason = cells
            role = role.strip("`")
            names = re.findall(r"`([a-z-]+)`", resources.partition(":")[2]) or [""]
            group = "" if group == "core" else group
            for resource in re.findall(r"[a-z/]+", resources.partition(":")[0]):
                for verb in re.findall(r"[a-z]+", verbs):
                    rights.setdefault(role, set()).update((group, resource, name, verb) for name in names)
    if not rights:
        sys.exit("error: the README has no table of rights")
    return rights


def command_problems(rights, readme):
    """Differences between the role for people and what the command says that it asks the API server for."""
    if not readme.exists():
        print(f"SKIPPED: no {readme} to hold the role weir-submit against")
        return []
    table = readme.read_text().partition("## Permissions")[2].partition("\n## ")[0]
    asked = set()
    for resource, verbs in re.findall(r"^\| `([a-z./]+)` \| ([a-z, ]+) \|", table, re.MULTILINE):
        resource, _, group = resource.partition(".")
        asked.update((group, resource, verb) for verb in verbs.split(", "))
    granted = {(group, resource, verb) for group, resource, _name, verb in rights["weir-submit"]}
    return [f"weir-submit: {right} is asked for or granted, not both" for right in sorted(asked ^ granted)]


class Overlay:
    def __init__(self, name, documents):
        self.name = name
        self.documents = documents
        self.counted = 0

    def problems(self, rights):
        """What is wrong, a line each."""
        own = [*self.pods(), *self.secrets(), *self.accounts(), *self.rights(rights), *self.state()]
        return [*own, *network.problems(self.name, self.of("NetworkPolicy"))]

    def of(self, *kinds):
        return [document for document in self.documents if document["kind"] in kinds]

    # Pods

    def pods(self):
        problems = []
        for document in self.documents:
            for where, pod, containers in pods_of(document):
                for container in containers:
                    self.counted += 1
                    of = f"{document['kind']} {document['metadata']['name']} {where} {container.get('name', '')}".strip()
                    problems += [f"{of}: {problem}" for problem in container_problems(pod, container)]
        for template in self.of("WorkflowTemplate"):
            problems += executor_problems(template)
        if not self.counted:
            problems.append("has no pod")
        return problems

    # Secrets

    def secrets(self):
        problems = [f"Secret {secret['metadata']['name']} has a value" for secret in self.of("Secret")]
        for document in self.documents:
            for path, value in walk(document):
                inlined = isinstance(value, dict) and SECRET_NAME.search(str(value.get("name", ""))) and value.get("value")
                if inlined and path[-2:-1] == ("env",):
                    problems.append(f"{document['kind']} {document['metadata']['name']}: {value['name']} has a value")
                if isinstance(value, str) and re.search(r"-----BEGIN|AKIA[0-9A-Z]{16}", value):
                    problems.append(f"{document['kind']} {document['metadata']['name']}: a key in {path}")
        return problems

    # Accounts and rights

    def accounts(self):
        there = {account["metadata"]["name"] for account in self.of("ServiceAccount")} | FOREIGN_ACCOUNTS
        used = {}
        for document in self.documents:
            for path, value in walk(document):
                if path and path[-1] == "serviceAccountName":
                    used.setdefault(value, document)
            for subject in document.get("subjects", []):
                used.setdefault(subject["name"], document)
                if subject["kind"] != "ServiceAccount" or not subject.get("namespace"):
                    yield f"{document['metadata']['name']}: a subject without namespace or not a service account"
        for name, document in used.items():
            if name not in there:
                yield f"{document['kind']} {document['metadata']['name']}: there is no ServiceAccount {name}"
        for name in there - set(used) - FOREIGN_ACCOUNTS:
            if name != "weir-predictor":  # Of the InferenceService, which `weir deploy` makes.
                yield f"nothing uses the ServiceAccount {name}"

    def rights(self, wanted):
        for document in self.of("ClusterRole", "ClusterRoleBinding"):
            yield f"{document['kind']} {document['metadata']['name']}: rights beyond the namespace"
        roles = {role["metadata"]["name"]: role for role in self.of("Role")}
        for name, role in roles.items():
            granted = set()
            for rule in role["rules"]:
                # The overlay kubeflow has a second one, with our prefix: Pipelines has taken the name.
                names = [name.removeprefix("weir-") for name in rule.get("resourceNames", [""])]
                granted.update(itertools.product(rule["apiGroups"], rule["resources"], names, rule["verbs"]))
            for right in sorted(granted - wanted.get(name, set())):
                yield f"Role {name}: {right} is not in the README's table"
            for right in sorted(wanted.get(name, set()) - granted):
                yield f"Role {name}: {right} of the README's table is not granted"
            if any("*" in right or "secrets" in right for right in granted):
                yield f"Role {name}: too much"
        bound = {binding["roleRef"]["name"] for binding in self.of("RoleBinding")}
        for name in set(roles) ^ bound:
            if name != "weir-submit":  # For people: bound by an administrator.
                yield f"{name}: a role without binding, or a binding without role"


    # State

    def state(self):
        claims = {claim["metadata"]["name"] for claim in self.of("PersistentVolumeClaim")}
        for workflow in self.of("WorkflowTemplate"):
            stateful = [template for template in workflow["spec"]["templates"] if "--state" in arguments(template)]
            for template in stateful:
                where = f"WorkflowTemplate {workflow['metadata']['name']} {template['name']}"
                path = arguments(template)[arguments(template).index("--state") + 1]
                mounts = [mount for mount in template["container"]["volumeMounts"] if path.startswith(mount["mountPath"])]
                volumes = {volume["name"]: volume for volume in template.get("volumes", [])}
                claim = mounts and volumes.get(mounts[0]["name"], {}).get("persistentVolumeClaim", {}).get("claimName")
                if not claim or claim not in claims:
                    yield f"{where}: {path} does not outlive the run"
                if template.get("synchronization") != {"mutexes": [{"name": claim}]}:
                    yield f"{where}: another step may change {path} meanwhile"


def arguments(template):
    return template.get("container", {}).get("args", [])


def pods_of(document):
    """(where, settings of the pod, containers) of all pods that come of a manifest."""
    kind, spec = document["kind"], document.get("spec", {})
    if kind in ("WorkflowTemplate", "Workflow"):
        for template in spec.get("templates", []):
            pod = {"securityContext": {**spec.get("securityContext", {}), **template.get("securityContext", {})}}
            pod["command"] = True
            containers = [template[of] for of in ("container", "script") if of in template]
            containers += template.get("initContainers", []) + template.get("sidecars", [])
            containers += template.get("containerSet", {}).get("containers", [])
            if containers:
                yield template["name"], pod, containers
    elif kind == "ServingRuntime":
        yield "", spec, spec["containers"]
    elif kind == "InferenceService":
        model = spec["predictor"].get("model", {})
        if "resources" in model or "securityContext" in model:
            yield "predictor", spec["predictor"], [model]
    elif kind == "EventBus":
        of = spec["jetstream"]
        templates = ("containerTemplate", "reloaderContainerTemplate", "metricsContainerTemplate")
        yield "", of, [{"name": name, "image": None, **of.get(name, {})} for name in templates]
    elif kind in ("EventSource", "Sensor"):
        yield "", spec["template"], [{"image": None, **spec["template"].get("container", {})}]
    elif kind == "Pod":
        yield "", spec, spec["containers"] + spec.get("initContainers", [])
    elif kind in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
        pod = spec["template"]["spec"]
        yield "", pod, pod["containers"] + pod.get("initContainers", [])


def container_problems(pod, container):
    """What Pod Security Standards call `restricted`, a read-only root, our uid, what is needed, our image."""
    of_pod, own = pod.get("securityContext", {}), container.get("securityContext", {})
    both = {**of_pod, **own}
    wanted = {"runAsNonRoot": True, "runAsUser": 65532, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True}
    for name, value in wanted.items():
        if both.get(name) != value:
            yield f"{name} is {both.get(name)}, not {value}"
    if both.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "seccompProfile is not RuntimeDefault"
    if own.get("capabilities", {}).get("drop") != ["ALL"] or own["capabilities"].get("add"):
        yield "capabilities are not dropped"
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield name
    if own.get("privileged") or any("hostPath" in volume for volume in pod.get("volumes", [])):
        yield "privileged, or a path of the host"
    # A limit of CPU is a choice: it only keeps a step from what the node has to spare.
    for what, resource in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
        if resource not in container.get("resources", {}).get(what, {}):
            yield f"no {resource} in {what}"
    # Argo Events brings its own images.
    image = container.get("image", "")
    if image is not None and not OUR_IMAGE.match(image):
        yield f"image {image!r} is not ours"
    if pod.get("command") and not container.get("command"):
        yield "no command; Argo would have to ask the registry for it"


def executor_problems(template):
    """Argo's own containers get what its controller was told; a restricted namespace wants it said."""
    patch = json.loads(template["spec"].get("podSpecPatch") or "{}")
    for kind, name in (("initContainers", "init"), ("containers", "wait")):
        contexts = [container.get("securityContext", {}) for container in patch.get(kind, []) if container["name"] == name]
        context = contexts[0] if contexts else {}
        if context.get("allowPrivilegeEscalation") is not False or context.get("capabilities") != {"drop": ["ALL"]}:
            yield f"WorkflowTemplate {template['metadata']['name']}: podSpecPatch leaves Argo's container {name} unrestricted"


def walk(node, path=()):
    yield path, node
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from walk(value, (*path, key))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
