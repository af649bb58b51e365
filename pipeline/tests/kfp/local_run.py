"""Runs a rendered pipeline on its defaults through kfp.local, and compares what comes out with a run of `weir run`.

Arguments: the IR, the directory of the run, a directory to be made for the outputs."""

import hashlib
import json
import os
import pathlib
import re
import sys
import warnings

import docker
import yaml
from kfp import components, local

IMAGE_USER = 65532


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check(held, what):
    if not held:
        sys.exit(f"error: {what}")


def check_images(ir):
    tasks = ir["root"]["dag"]["tasks"].values()
    labels = [ir["components"][task["componentRef"]["name"]].get("executorLabel") for task in tasks]
    wanted = {ir["deploymentSpec"]["executors"][label]["container"]["image"] for label in labels if label}
    there = {tag for image in docker.from_env().images.list() for tag in image.tags}
    check(wanted <= there, f"the engine has no image {', '.join(sorted(wanted - there))}: see pipeline/images/build")


def run(file, root):
    root.mkdir()
    # Root stands for a pod whose volume any user may write to: the image's own user runs.
    caller = {"user": f"{os.getuid()}:{os.getgid()}"}
    if os.getuid() == 0:
        os.chown(root, IMAGE_USER, IMAGE_USER)
        caller = {}
    runner = local.DockerRunner(network_mode="none", read_only=True, cap_drop=["ALL"], **caller)
    local.init(runner, pipeline_root=str(root))
    components.load_component_from_file(file)()
    (out,) = root.iterdir()
    return out


def read_outputs(task):
    """Metadata of the artifacts and values of the parameters that a task has reported."""
    output = json.loads((task / "executor_output.json").read_text())
    metadata = {name: of["artifacts"][0].get("metadata", {}) for name, of in output.get("artifacts", {}).items()}
    return metadata, output.get("parameterValues", {})


def compare(ir, out, expected):
    """Every artifact has the digest of the run's; what the tasks report of it is so."""
    pairs = {"features/features": "features", "selection/selection": "selection", "packaging/package": "package"}
    trainings = [task for task in ir["root"]["dag"]["tasks"] if task.startswith("training-")]
    check(trainings, "the pipeline trains nothing")
    pairs |= {f"{task}/trials": task.replace("training-", "trials/", 1) for task in trainings}
    for ours, theirs in pairs.items():
        digest = sha256(out / ours / "manifest.json")
        wanted = sha256(expected / theirs / "manifest.json")
        check(digest == wanted, f"{ours} has digest {digest}, but {theirs} of the run has {wanted}")
        metadata, values = read_outputs((out / ours).parent)
        check(values["digest"] == digest, f"{ours} reports digest {values['digest']}, but has {digest}")
        check(metadata[ours.split("/")[1]].get("digest") == digest, f"metadata of {ours} lacks its digest")
    sums = "bundle/SHA256SUMS"
    check(sha256(out / "packaging/package" / sums) == sha256(expected / "package" / sums), "the bundles differ")
    return len(pairs)


def check_drawn(ir, out, expected):
    """What the user interface draws says what the artifacts say."""
    for task in (task for task in ir["root"]["dag"]["tasks"] if task.startswith("training-")):
        metadata, _ = read_outputs(out / task)
        matrix = metadata["confusion_matrix"]["confusionMatrix"]
        names = [spec["displayName"] for spec in matrix["annotationSpecs"]]
        check(names == ["benign", "malicious"], f"{task}: classes are {names}")
        (tn, fp), (fn, tp) = (row["row"] for row in matrix["rows"])
        accuracy = metadata["metrics"]["accuracy"]
        check(accuracy == (tn + tp) / (tn + fp + fn + tp), f"{task}: accuracy {accuracy} is not that of {matrix}")
        trials = json.loads((expected / task.replace("training-", "trials/", 1) / "trials.json").read_text())["trials"]
        known = [(of["true_negatives"], of["false_positives"], of["false_negatives"], of["true_positives"])
                 for of in (trial["confusion"] for trial in trials)]
        check((tn, fp, fn, tp) in known, f"{task}: {matrix} is of none of its trials")
    selection = json.loads((expected / "selection/selection.json").read_text())
    metadata, values = read_outputs(out / "selection")
    for name in ("winner", "verdict"):
        check(values[name] == selection[name], f"selection reports {name} {values[name]}, not {selection[name]}")
    accuracy = selection["ranking"][0]["value"]
    check(float(values["accuracy"]) == accuracy, f"selection reports accuracy {values['accuracy']}, not {accuracy}")
    check(metadata["metrics"]["accuracy"] == accuracy, f"metrics of selection are {metadata['metrics']}")
    _, values = read_outputs(out / "packaging")
    check(re.fullmatch("[0-9a-f]{64}", values["bundle"]), f"packaging reports bundle {values['bundle']}")
    report = out / "packaging/report"
    check(report.is_file(), "the report is no file")
    check(report.read_bytes() == (out / "packaging/package/report.html").read_bytes(), "the report is another one")
    check(report.read_bytes().lstrip().lower().startswith(b"<!doctype html"), "the report is no HTML")


def main(file, expected, root):
    warnings.simplefilter("ignore")
    ir = yaml.safe_load(pathlib.Path(file).read_text())
    expected = pathlib.Path(expected)
    check_images(ir)
    out = run(file, pathlib.Path(root))
    check(not (out / "deploy").exists(), "deployed without being asked to")
    count = compare(ir, out, expected)
    check_drawn(ir, out, expected)
    print(f"{file}: ran through kfp.local; {count} artifacts and the bundle have the digests of {expected}")


if __name__ == "__main__":
    main(*sys.argv[1:])
