"""The policy checks notice what they are there for. MANIFESTS: the rendered overlay s3-full."""

import copy
import os
import pathlib
import unittest

import policies
import validate

README = pathlib.Path(__file__).parent.parent / "README.md"
GOOD = validate.read(os.environ["MANIFESTS"])


def find(documents, kind, name):
    return next(of for of in documents if (of["kind"], of["metadata"]["name"]) == (kind, name))


class Damages(unittest.TestCase):
    def problems(self, damage):
        documents = copy.deepcopy(GOOD)
        damage(documents)
        return policies.Overlay("s3-full", documents).problems(policies.rights_of(README.read_text()))

    def noticed(self, damage, part):
        problems = self.problems(damage)
        self.assertTrue(any(part in problem for problem in problems), problems)

    def test_good_manifests_have_no_problem(self):
        self.assertEqual(self.problems(lambda documents: None), [])

    def test_every_setting_that_makes_a_pod_restricted_is_asked_for(self):
        runtime = lambda documents: find(documents, "ServingRuntime", "weir-predictor")["spec"]["containers"][0]
        settings = ("runAsNonRoot", "runAsUser", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "seccompProfile")
        for name in (*settings, "capabilities"):
            self.noticed(lambda documents: runtime(documents)["securityContext"].pop(name), name)
        context = lambda documents: runtime(documents)["securityContext"]
        self.noticed(lambda documents: context(documents)["capabilities"].update(add=["NET_RAW"]), "capabilities")
        for what, resource in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
            self.noticed(lambda documents: runtime(documents)["resources"][what].pop(resource), f"no {resource} in {what}")
        self.noticed(lambda documents: runtime(documents).update(image="docker.io/library/busybox:1"), "is not ours")

    def test_pods_of_argo_events_count_too(self):
        self.noticed(lambda d: find(d, "Sensor", "weir")["spec"]["template"].pop("container"), "Sensor weir")
        bus = lambda documents: find(documents, "EventBus", "default")["spec"]["jetstream"]
        self.noticed(lambda d: bus(d).pop("reloaderContainerTemplate"), "EventBus default")
        self.noticed(lambda d: find(d, "EventSource", "weir")["spec"]["template"].pop("securityContext"), "EventSource weir")

    def test_a_step_without_command_or_restriction_is_noticed(self):
        def step(documents):
            templates = find(documents, "WorkflowTemplate", "weir")["spec"]["templates"]
            return next(template["container"] for template in templates if "container" in template)
        self.noticed(lambda d: step(d).pop("command"), "no command")
        self.noticed(lambda d: step(d).pop("securityContext"), "allowPrivilegeEscalation")
        self.noticed(lambda d: find(d, "WorkflowTemplate", "weir")["spec"].pop("podSpecPatch"), "container wait")

    def test_a_secret_with_a_value_is_noticed(self):
        self.noticed(lambda d: d.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}), "Secret x")
        environment = [{"name": "AWS_SECRET_ACCESS_KEY", "value": "x"}]
        self.noticed(lambda d: find(d, "Sensor", "weir")["spec"]["template"]["container"].update(env=environment), "AWS_SECRET")

    def test_an_account_that_is_not_there_is_noticed(self):
        self.noticed(lambda d: d.remove(find(d, "ServiceAccount", "weir-events")), "no ServiceAccount weir-events")
        self.noticed(lambda d: d.append({"kind": "ServiceAccount", "metadata": {"name": "idle"}}), "nothing uses")

    def test_a_right_more_or_less_is_noticed(self):
        rules = lambda d: find(d, "Role", "weir-workflow")["rules"]
        self.noticed(lambda d: rules(d)[0]["verbs"].append("delete"), "not in the README's table")
        self.noticed(lambda d: rules(d)[0]["verbs"].pop(), "is not granted")
        self.noticed(lambda d: rules(d).append({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}), "too much")
        self.noticed(lambda d: d.remove(find(d, "RoleBinding", "weir-deploy")), "without binding")

    def test_state_that_ends_with_the_run_or_that_two_may_change_is_noticed(self):
        def of(documents, name):
            templates = find(documents, "WorkflowTemplate", "weir-block")["spec"]["templates"]
            return next(template for template in templates if template["name"] == name)
        for name in ("enforce", "remove"):
            self.noticed(lambda d: of(d, name).pop("synchronization"), f"{name}: another step may change /state")
            self.noticed(lambda d: of(d, name)["volumes"].pop(), f"{name}: /state")
        self.noticed(lambda d: d.remove(find(d, "PersistentVolumeClaim", "weir-block-state")), "does not outlive the run")

    def test_every_network_policy_is_needed(self):
        for document in [of for of in GOOD if of["kind"] == "NetworkPolicy"]:
            name = document["metadata"]["name"]
            self.noticed(lambda d: d.remove(find(d, "NetworkPolicy", name)), "network: ")

    def test_a_network_policy_that_lets_through_too_much_is_noticed(self):
        for name, direction in (("predictor", "ingress"), ("workflow-api-server", "egress"), ("event-bus", "ingress")):
            self.noticed(lambda d: find(d, "NetworkPolicy", name)["spec"].update({direction: [{}]}), "should not pass")


if __name__ == "__main__":
    unittest.main()
