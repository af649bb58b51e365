"""The validator notices what it is there for. MANIFESTS: good manifests (rendered overlays) to damage."""

import copy
import os
import unittest

import validate

# Maps whose keys are the user's own: another name there is no mistake of form.
FREE = {"labels", "annotations", "matchLabels", "data", "nodeSelector", "hard", "requests", "limits", "defaultRequest",
        "default", "minio", "webhook", "max", "min"}
SCHEMAS = validate.Schemas(validate.schema_directory())


def good():
    documents = [document for path in os.environ["MANIFESTS"].split(":") for document in validate.read(path)]
    # One of a name is enough: the overlays share most of theirs.
    return list({(d["kind"], d["metadata"]["name"]): d for d in documents}.values())


def fields(node, path=()):
    """Paths of all fields whose names a schema gives."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from fields(item, (*path, index))
    elif isinstance(node, dict):
        for key, value in node.items():
            if not (path and path[-1] in FREE):
                yield (*path, key)
            yield from fields(value, (*path, key))


def shapes(document):
    """One path of each shape: the tenth task has no other fields than the first."""
    return {tuple("*" if isinstance(key, int) else key for key in path): path for path in fields(document)}.values()


def noticed(document):
    """Whether a version of the schema refuses the document, or it does not say of which kind it is."""
    if not all(isinstance(document.get(of), str) for of in ("apiVersion", "kind")):
        return True
    validators = SCHEMAS.validators(document["apiVersion"], document["kind"])
    valid = validators and all(validator.is_valid(document) for _, validator in validators)
    return not valid or bool(SCHEMAS.embedded(document))


def parent(document, path):
    for key in path[:-1]:
        document = document[key]
    return document


class Mutations(unittest.TestCase):
    def test_good_manifests_have_no_problem(self):
        for document in good():
            self.assertEqual(SCHEMAS.problems(document), [], validate.name(document))

    def damage(self, how):
        """Damages every field in turn; each has to be noticed."""
        count, missed = 0, []
        for document in good():
            for path in shapes(document):
                holder = parent(document, path)
                value = holder.pop(path[-1])
                key, damaged = how(path[-1], value)
                holder[key] = damaged
                count += 1
                if not noticed(document):
                    missed.append(f"{validate.name(document)} {path}")
                del holder[key]
                holder[path[-1]] = value
        self.assertEqual(missed, [])
        self.assertGreater(count, 500)
        return count

    def test_every_renamed_field_is_noticed(self):
        print(self.damage(lambda key, value: (f"{key}s", value)), "renamed fields noticed")

    def test_every_field_of_another_type_is_noticed(self):
        # A list is wrong for a scalar and an object, a number with a fraction for a list.
        print(self.damage(lambda key, value: (key, 0.5 if isinstance(value, list) else [[]])), "fields of another type noticed")

    def test_what_has_to_be_there_is_missed(self):
        required = {
            "Role": [("rules", 0, "verbs")],
            "RoleBinding": [("roleRef",), ("roleRef", "name")],
            "NetworkPolicy": [("kind",), ("metadata",)],
            "WorkflowTemplate": [("spec",), ("spec", "entrypoint")],
            "PodMonitor": [("spec", "selector"), ("spec",)],
            "PrometheusRule": [("spec", "groups", 0, "name")],
            "ServingRuntime": [("spec", "containers")],
            "CronWorkflow": [("spec", "workflowSpec"), ("apiVersion",)],
        }
        seen = set()
        for document in good():
            for path in required.get(document["kind"], []):
                damaged = copy.deepcopy(document)
                del parent(damaged, path)[path[-1]]
                self.assertTrue(SCHEMAS.problems(damaged), (document["kind"], path))
                seen.add(document["kind"])
        self.assertEqual(seen, set(required))


class Cases(unittest.TestCase):
    def problems(self, text):
        (document,) = validate.yaml.load_all(text, Loader=validate.Loader)
        return SCHEMAS.problems(document)

    def test_a_kind_without_schema_is_an_error(self):
        problems = self.problems("{apiVersion: example.com/v1, kind: Unheard, metadata: {name: x}}")
        self.assertEqual(problems, ["no schema for example.com/v1 Unheard"])

    def test_a_known_kind_of_another_version_is_an_error(self):
        problems = self.problems("{apiVersion: serving.kserve.io/v1, kind: InferenceService, metadata: {name: x}}")
        self.assertEqual(problems, ["no schema for serving.kserve.io/v1 InferenceService"])

    def test_a_document_that_is_no_manifest_is_an_error(self):
        self.assertEqual(self.problems("[1, 2]"), ["has no apiVersion and kind"])

    def workflow(self, templates, more=""):
        return self.problems(f"""
            {{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, metadata: {{name: x}},
              spec: {{entrypoint: a, templates: {templates} {more}}}}}""")

    def test_a_field_that_argo_4_dropped_is_noticed(self):
        text = """{apiVersion: argoproj.io/v1alpha1, kind: CronWorkflow, metadata: {name: x},
                   spec: {schedule: "0 0 * * *", workflowSpec: {workflowTemplateRef: {name: weir}}}}"""
        problems = self.problems(text)
        self.assertTrue(any("argo-workflows-v4" in problem and "schedule" in problem for problem in problems), problems)

    def test_a_template_that_is_not_there_is_noticed(self):
        tasks = "[{name: a, dag: {tasks: [{name: t, template: b}]}}]"
        self.assertEqual(self.workflow(tasks), ["template a, t: there is no template 'b'"])

    def test_depends_beside_dependencies_is_noticed(self):
        task = "{name: u, template: a, depends: t, dependencies: [t]}"
        problems = self.workflow(f"[{{name: a, dag: {{tasks: [{{name: t, template: a}}, {task}]}}}}]")
        self.assertEqual(problems, ["template a, u: depends and dependencies"])

    def test_a_dependency_on_no_task_is_noticed(self):
        problems = self.workflow("[{name: a, dag: {tasks: [{name: t, template: a, dependencies: [v]}]}}]")
        self.assertEqual(problems, ["template a, t: there is no task 'v'"])

    def test_an_exit_handler_that_is_not_there_is_noticed(self):
        problems = self.workflow("[{name: a, suspend: {}}]", ", onExit: bye")
        self.assertEqual(problems, ["onExit: there is no template 'bye'"])

    def test_a_wrong_workflow_inside_a_sensor_is_noticed(self):
        problems = self.problems("""
            {apiVersion: argoproj.io/v1alpha1, kind: Sensor, metadata: {name: x}, spec: {dependencies: [], triggers: [
              {template: {name: t, k8s: {operation: create, source: {resource:
                {apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {generateName: x-},
                 spec: {workflowTemplateRef: {nam: weir}}}}}}}]}}""")
        self.assertTrue(problems and all(problem.startswith("trigger t: ") for problem in problems), problems)

    def test_a_port_may_be_a_name_or_a_number_but_no_fraction(self):
        def policy(port):
            return self.problems(f"""
                {{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: x}},
                  spec: {{podSelector: {{}}, egress: [{{ports: [{{port: {port}}}]}}]}}}}""")
        self.assertEqual(policy("http"), [])
        self.assertEqual(policy("80"), [])
        self.assertTrue(policy("80.5"))

    def test_yaml_that_turns_a_word_into_a_boolean_is_noticed(self):
        config = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {answer: %s}}"
        self.assertTrue(self.problems(config % "no"))
        self.assertEqual(self.problems(config % '"no"'), [])


if __name__ == "__main__":
    unittest.main(verbosity=1)
