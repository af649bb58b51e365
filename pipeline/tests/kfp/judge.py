"""Loads rendered pipelines with kfp, which refuses unknown fields, and shows that it does so everywhere in them."""

import copy
import sys
import warnings

import yaml
from google.protobuf import json_format
from kfp import components
from kfp.pipeline_spec import pipeline_spec_pb2


def load(ir):
    components.load_component_from_text(yaml.safe_dump(ir))


def parse(ir):
    """What the loader does first, in a hundredth of the time; and what it leaves to those who run the pipeline, since
    to it the deployment is any JSON."""
    json_format.ParseDict(ir, pipeline_spec_pb2.PipelineSpec())
    json_format.ParseDict(ir["deploymentSpec"], pipeline_spec_pb2.PipelineDeploymentConfig())


def objects(value, path=()):
    """Paths of all objects in `value`."""
    if isinstance(value, dict):
        yield path
        for name, member in value.items():
            yield from objects(member, (*path, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from objects(member, (*path, index))


def with_unknown_field(ir, path):
    changed = copy.deepcopy(ir)
    target = changed
    for step in path:
        target = target[step]
    target["unknownField"] = "x"
    return changed


def accepts(judge, ir):
    try:
        judge(ir)
    except Exception:  # whatever type kfp refuses with
        return False
    return True


def main(files):
    warnings.simplefilter("ignore")
    for file in files:
        component = components.load_component_from_file(file)
        with open(file) as text:
            ir = yaml.safe_load(text)
        parse(ir)
        paths = list(objects(ir))
        blind = [path for path in paths if accepts(parse, with_unknown_field(ir, path))]
        loaded = [(), ("root", "dag", "tasks", "features"), ("components", "comp-packaging")]
        blind += [path for path in loaded if accepts(load, with_unknown_field(ir, path))]
        if blind:
            where = ", ".join(".".join(map(str, path)) or "the root" for path in blind)
            sys.exit(f"error: {file}: kfp accepts an unknown field in {where}")
        inputs = ", ".join(component.component_spec.inputs or {})
        print(f"{file}: accepted; refused with an unknown field in any of {len(paths)} objects; inputs {inputs}")


if __name__ == "__main__":
    main(sys.argv[1:])
