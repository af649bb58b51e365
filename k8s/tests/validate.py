"""Are these manifests what the API servers' schemas allow, with no field that they do not know?

    validate.py [FILE...]        YAML of any number of documents; stdin without FILE

WEIR_SHARED_SCHEMAS names a directory with the schemas of the systems (their CRDs and JSON schemas, as released):
argo-workflows-*, argo-events-*, kserve-*, prometheus-operator-*. A custom resource is held against every version there is.
Core kinds are held against the Kubernetes definitions inside the JSON schema of Argo Events. A kind without a schema is
an error. Needs PyYAML and jsonschema.
"""

import copy
import functools
import json
import os
import pathlib
import sys

import jsonschema
import yaml

# Built by libyaml where it is there: the CRDs are megabytes.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

CORE = {
    ("v1", "Namespace"): "core.v1.Namespace",
    ("v1", "ServiceAccount"): "core.v1.ServiceAccount",
    ("v1", "ConfigMap"): "core.v1.ConfigMap",
    ("v1", "Secret"): "core.v1.Secret",
    ("v1", "Service"): "core.v1.Service",
    ("v1", "Pod"): "core.v1.Pod",
    ("v1", "PersistentVolumeClaim"): "core.v1.PersistentVolumeClaim",
    ("v1", "LimitRange"): "core.v1.LimitRange",
    ("v1", "ResourceQuota"): "core.v1.ResourceQuota",
    ("apps/v1", "Deployment"): "apps.v1.Deployment",
    ("batch/v1", "Job"): "batch.v1.Job",
    ("networking.k8s.io/v1", "NetworkPolicy"): "networking.v1.NetworkPolicy",
    ("rbac.authorization.k8s.io/v1", "Role"): "rbac.v1.Role",
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): "rbac.v1.RoleBinding",
}
# The CRDs of Argo Events say nothing about `spec`; its JSON schema does.
EVENTS = {"EventBus", "EventSource", "Sensor"}
WORKFLOWS = {"Workflow", "WorkflowTemplate", "CronWorkflow"}
INT_OR_STRING = {"type": ["integer", "string"]}
QUANTITY = {"type": ["integer", "number", "string"], "pattern": r"^[0-9.]+([KMGTPE]i?|k|m|n|u|[eE][0-9]+)?$"}


def main(paths):
    schemas = Schemas(schema_directory())
    documents = [document for path in paths or ["-"] for document in read(path)]
    if not documents:
        sys.exit("error: no manifest to validate")
    problems = [f"{name(document)}: {problem}" for document in documents for problem in schemas.problems(document)]
    for problem in problems:
        print(problem)
    print(f"{len(documents)} manifests, {len(problems)} problems", file=sys.stderr)
    return 1 if problems else 0


def schema_directory():
    directory = os.environ.get("WEIR_SHARED_SCHEMAS")
    if not directory or not pathlib.Path(directory).is_dir():
        sys.exit("error: WEIR_SHARED_SCHEMAS does not name a directory of schemas")
    return pathlib.Path(directory)


def read(path):
    text = sys.stdin.read() if path == "-" else pathlib.Path(path).read_text()
    return [document for document in yaml.load_all(text, Loader=Loader) if document is not None]


def name(document):
    if not isinstance(document, dict):
        return "not an object"
    metadata = document.get("metadata") or {}
    return f"{document.get('kind')} {metadata.get('name') or metadata.get('generateName')}"


class Schemas:
    """Validators by kind, each read when the first manifest of its kind comes."""

    def __init__(self, directory):
        self.directory = directory

    def problems(self, document):
        """What is wrong with a manifest, a line each."""
        if not isinstance(document, dict) or not all(isinstance(document.get(of), str) for of in ("apiVersion", "kind")):
            return ["has no apiVersion and kind"]
        validators = self.validators(document["apiVersion"], document["kind"])
        if not validators:
            return [f"no schema for {document['apiVersion']} {document['kind']}"]
        problems = []
        for source, validator in validators:
            for error in sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.path))):
                problems.append(f"{source}: {describe(error)}")
        # What follows relies on the form.
        if problems:
            return problems
        if document["kind"] in WORKFLOWS:
            return dag_problems(document)
        return self.embedded(document)

    def embedded(self, document):
        """Problems of the resources that the triggers of a sensor create."""
        if document["kind"] != "Sensor":
            return []
        problems = []
        for trigger in document.get("spec", {}).get("triggers", []):
            source = trigger.get("template", {}).get("k8s", {}).get("source", {})
            if "resource" in source:
                of = trigger["template"].get("name")
                problems += [f"trigger {of}: {problem}" for problem in self.problems(source["resource"])]
        return problems

    @functools.lru_cache(maxsize=None)
    def validators(self, api_version, kind):
        """Pairs of a schema's origin and its validator."""
        if (api_version, kind) in CORE:
            name = f"io.k8s.api.{CORE[api_version, kind]}"
            return [(self.events_schema()[0], self.definition(self.events_schema(), name, api_version, kind))]
        if api_version == "argoproj.io/v1alpha1" and kind in EVENTS:
            schema = self.events_schema()
            return [(schema[0], self.definition(schema, f"io.argoproj.events.v1alpha1.{kind}", api_version, kind))]
        found = list(self.custom(api_version, kind))
        if api_version == "argoproj.io/v1alpha1" and kind in WORKFLOWS:
            for path in sorted(self.directory.glob("argo-workflows-*/schema.json")):
                schema = (f"{path.parent.name}/schema.json", json.loads(path.read_text())["definitions"])
                name = f"io.argoproj.workflow.v1alpha1.{kind}"
                found.append((schema[0], self.definition(schema, name, api_version, kind)))
        return found

    @functools.lru_cache(maxsize=None)
    def events_schema(self):
        paths = sorted(self.directory.glob("argo-events-*/schema.json"))
        if not paths:
            sys.exit(f"error: no argo-events-*/schema.json in {self.directory}")
        return f"{paths[-1].parent.name}/schema.json", json.loads(paths[-1].read_text())["definitions"]

    def definition(self, schema, name, api_version, kind):
        """The validator of one definition of a JSON schema."""
        definitions = {key: closed(fixed(key, value)) for key, value in schema[1].items()}
        root = copy.deepcopy(definitions[name])
        root["properties"] |= {"apiVersion": {"const": api_version}, "kind": {"const": kind}}
        root["required"] = sorted({*root.get("required", []), "apiVersion", "kind", "metadata"})
        return jsonschema.Draft7Validator(root | {"definitions": definitions})

    def custom(self, api_version, kind):
        """The validators of a kind from all CRDs that define it."""
        group, _, version = api_version.partition("/")
        for path in sorted(self.directory.glob(f"*/{group}_{plural(kind)}.yaml")):
            for crd in read(path):
                for served in crd["spec"]["versions"]:
                    if crd["spec"]["names"]["kind"] == kind and served["name"] == version:
                        schema = closed(served["schema"]["openAPIV3Schema"])
                        # Of metadata a CRD says nothing; it is what all kinds have.
                        definitions = {key: closed(fixed(key, value)) for key, value in self.events_schema()[1].items()}
                        meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
                        schema["properties"]["metadata"] = {"$ref": f"#/definitions/{meta}"}
                        schema["required"] = sorted({*schema.get("required", []), "apiVersion", "kind", "metadata"})
                        yield path.parent.name, jsonschema.Draft7Validator(schema | {"definitions": definitions})


def plural(kind):
    return kind.lower() + "s"


def fixed(name, schema):
    """A definition as the server reads it: what JSON schema cannot say of quantities and of integers or names."""
    if name.endswith(".Quantity"):
        return QUANTITY
    if name.endswith(".IntOrString"):
        return INT_OR_STRING
    # A resource of any kind inside a resource; `embedded` looks into it.
    if name.endswith(".K8SResource"):
        return {"type": "object"}
    return schema


def closed(schema):
    """A copy that refuses fields which it does not name, as a server's strict validation does."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties", "definitions"):
            result[key] = {name: closed(of) for name, of in value.items()}
        elif key in ("enum", "const", "default", "required", "example") or key.startswith("x-kubernetes-"):
            result[key] = value
        else:
            result[key] = closed(value)
    # These two are rules of the CRD language that JSON schema has no words for.
    if schema.get("x-kubernetes-int-or-string"):
        result.pop("type", None)
        result.pop("format", None)
        result["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    keeps = schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema and not keeps:
        result["additionalProperties"] = False
    if schema.get("x-kubernetes-embedded-resource"):
        result["required"] = sorted({*result.get("required", []), "apiVersion", "kind"})
    if schema.get("nullable") and isinstance(result.get("type"), str):
        result["type"] = [result["type"], "null"]
    return result


def dag_problems(document):
    """What no schema notices in a workflow: names that lead nowhere, both ways of ordering tasks at once."""
    spec = document.get("spec", {})
    spec = spec.get("workflowSpec", spec) if document["kind"] == "CronWorkflow" else spec
    templates = {template.get("name"): template for template in spec.get("templates", [])}
    problems = []
    for of in ("entrypoint", "onExit"):
        if spec.get(of) and templates and spec[of] not in templates:
            problems.append(f"{of}: there is no template {spec[of]!r}")
    if document["kind"] == "WorkflowTemplate" and not spec.get("entrypoint"):
        problems.append("has no entrypoint")
    for template in templates.values():
        tasks = template.get("dag", {}).get("tasks", [])
        names = {task.get("name") for task in tasks}
        steps = [step for group in template.get("steps", []) for step in (group if isinstance(group, list) else [group])]
        for task in tasks + steps:
            where = f"template {template.get('name')}, {task.get('name')}"
            if task.get("template") and task["template"] not in templates:
                problems.append(f"{where}: there is no template {task['template']!r}")
            if "depends" in task and "dependencies" in task:
                problems.append(f"{where}: depends and dependencies")
            for other in task.get("dependencies", []):
                if other not in names:
                    problems.append(f"{where}: there is no task {other!r}")
    return problems


def describe(error):
    """Path and reason of an error; the reasons of a choice instead of the whole choice."""
    path = ".".join(map(str, error.absolute_path)) or "(top)"
    message = error.message if len(error.message) < 300 else f"{error.message[:300]}..."
    return f"{path}: {message}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
