"""Compares what each runtime says about every row with what Weir itself says.

    compare.py WORK RUN..

A column is a runtime: a context manager that takes a bundle and gives a function from rows, of features or flows, to
labels and probabilities of class 1. For every family and representation of every run, and for small models of every other kind,
labels are equal and probabilities within the column's tolerance, but for exempt rows, which Weir names (see
`examples/runtimes_case`) and of which there may be 1 in 1,000.

CASE names the built example, TRACT the program in `tract/`, SERVER the command of the predictor.
"""

import json
import logging
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import mlflow
import mlflow.onnx
import mlflow.pyfunc
import numpy as np
import onnx
import onnxruntime
import pyarrow.parquet as parquet

FAMILIES = ["decision-tree", "knn", "logistic-regression", "svc"]
REPRESENTATIONS = ["baseline", "autoencoder"]
SPLITS = ["train", "validation", "test"]
MOST_EXEMPT = 0.001
# Stand-ins for the calibration of an SVC of a run that has none.
SLOPE, OFFSET = -1.3, 0.2
# KNN outside Weir compares with every row it was fitted on.
KNN_BATCH, KNN_TRAIN_ROWS = 64, 1000


@contextmanager
def in_onnxruntime(bundle, _batch):
    session = onnxruntime.InferenceSession(bundle / "model.onnx", providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    yield lambda x: labels_and_probabilities(dict(zip(names, session.run(names, {"X": x}))))


@contextmanager
def in_mlflow(bundle, _batch):
    model = mlflow.pyfunc.load_model(str(bundle))
    assert len(model.predict(model.input_example)["label"]) == len(model.input_example), "the example in the bundle"
    assert mlflow.onnx.load_model(str(bundle)).graph.input[0].name == "X"
    yield lambda x: labels_and_probabilities(model.predict(x))


@contextmanager
def in_mlflow_server(bundle, _batch):
    """`mlflow models serve`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local", "--model-uri", str(bundle)]
    with open(bundle.parent / "serve.log", "wb") as log:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)], stdout=log, stderr=log, start_new_session=True
        )

    def invoke(request):
        url = f"http://127.0.0.1:{port}/invocations"
        request = urllib.request.Request(url, request, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["predictions"]

    def predict(x):
        outputs = invoke(json.dumps({"inputs": x.tolist()}).encode())
        return labels_and_probabilities({name: np.array(values) for name, values in outputs.items()})

    try:
        wait_for(f"http://127.0.0.1:{port}/ping", server)
        assert invoke((bundle / "mlflow-serving-input.json").read_bytes())["label"], "the request in the bundle"
        yield predict
    finally:
        # The server is a process of what was started.
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


@contextmanager
def in_tract(bundle, batch):
    def predict(x):
        with tempfile.TemporaryDirectory() as scratch:
            rows, out = Path(scratch) / "rows", Path(scratch) / "out"
            x.tofile(rows)
            model, (_, columns) = bundle / "model.onnx", x.shape
            subprocess.run([os.environ["TRACT"], model, rows, str(columns), str(batch), out], check=True)
            label = np.fromfile(f"{out}.label", dtype="<i8")
            probabilities = np.fromfile(f"{out}.probabilities", dtype="<f4").reshape(-1, 2)
            return labels_and_probabilities({"label": label, "probabilities": probabilities})

    # It starts for each call: all rows at once, which it cuts into batches itself.
    predict.whole = True
    yield predict


@contextmanager
def served(bundle):
    """The predictor with a bundle: a function from a path and a request to the answer."""
    with tempfile.TemporaryDirectory() as scratch:
        port = Path(scratch) / "port"
        command = [*shlex.split(os.environ["SERVER"]), "--quiet", "--model-name", "model", "--bundle", str(bundle)]
        server = subprocess.Popen([*command, "--port", "0", "--port-file", str(port)])
        try:
            while not (port.exists() and port.read_text().endswith("\n")):
                assert server.poll() is None, "the predictor ended"
                time.sleep(0.01)
            address = f"http://127.0.0.1:{port.read_text().strip()}"
            wait_for(f"{address}/v2/health/ready", server)

            def ask(path, request, headers={}):
                body = request if isinstance(request, bytes) else json.dumps(request).encode()
                headers = {"Content-Type": "application/json", **headers}
                with urllib.request.urlopen(urllib.request.Request(address + path, body, headers), timeout=60) as answer:
                    return json.load(answer)

            yield ask
        finally:
            server.terminate()
            assert server.wait(timeout=60) == 0, "the predictor ended badly"


@contextmanager
def in_v1(bundle, _batch):
    with served(bundle) as ask:
        yield lambda x: of_v1(ask, x.tolist())


@contextmanager
def in_v1_with_flows(bundle, _batch):
    with served(bundle) as ask:
        yield lambda flows: of_v1(ask, list(flows))


@contextmanager
def in_v2(bundle, _batch):
    """Named tensors in both of their forms: one input per feature as JSON, and one for all in binary."""
    names = [field["name"] for field in json.loads((bundle / "signature.json").read_text())["inputs"]]

    def predict(ask, x):
        fields = [
            {"name": name, "datatype": "FP64", "shape": [len(x), 1], "data": column.tolist()}
            for name, column in zip(names, x.T)
        ]
        named = of_v2(ask("/v2/models/model/infer", {"inputs": fields}))
        raw = x.astype("<f8").tobytes()
        tensor = {"name": "X", "datatype": "FP64", "shape": x.shape, "parameters": {"binary_data_size": len(raw)}}
        head = json.dumps({"inputs": [tensor]}).encode()
        binary = of_v2(ask("/v2/models/model/infer", head + raw, {"Inference-Header-Content-Length": str(len(head))}))
        assert all((one == other).all() for one, other in zip(named, binary)), "both forms say the same"
        return named

    with served(bundle) as ask:
        yield lambda x: predict(ask, x)


def of_v1(ask, instances):
    answer = ask("/v1/models/model:predict", {"instances": instances, "parameters": {"probabilities": True}})
    label, probabilities = np.array(answer["predictions"]), np.array(answer["probabilities"])
    return labels_and_probabilities({"label": label, "probabilities": probabilities})


def of_v2(answer):
    outputs = {output["name"]: np.reshape(output["data"], output["shape"]) for output in answer["outputs"]}
    return labels_and_probabilities(outputs)


COLUMNS = {
    # Name: (column, tolerance of probabilities).
    "onnxruntime": (in_onnxruntime, 1e-6),
    "mlflow.pyfunc": (in_mlflow, 1e-6),
    "tract": (in_tract, 1e-6),
}
VARIANT_COLUMNS = {name: COLUMNS[name] for name in ["onnxruntime", "tract"]}
# Weir's own interfaces give what Weir gives, to the digits of a double as text.
SERVED = {"v1": (in_v1, 1e-15), "v2": (in_v2, 1e-15), "v1 with flows": (in_v1_with_flows, 1e-15)}
# It takes seconds to start and runs what mlflow.pyfunc runs: one family will do.
ONCE = ("decision-tree", {"mlflow models serve": (in_mlflow_server, 1e-6)})


def wait_for(url, server):
    end = time.monotonic() + 300
    while time.monotonic() < end:
        try:
            return urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            assert server.poll() is None, "the server ended"
            time.sleep(0.1)
    raise TimeoutError(url)


def labels_and_probabilities(outputs):
    probabilities = outputs["probabilities"]
    assert np.allclose(probabilities.sum(axis=1), 1.0, atol=1e-6), "probabilities of a row add up to 1"
    return outputs["label"], probabilities[:, 1]


class Case:
    """A bundle, and what Weir says about rows: x, label, probability and exempt, as arrays.

    A part is the name of a matrix, its rows, and which of them to take. `flows` are those of the last rows.
    """

    def __init__(self, name, directory, parts, batch, flows=()):
        self.name, self.bundle, self.batch, self.flows = name, directory / "bundle", batch, flows

        def said(suffix, dtype):
            files = [np.fromfile(directory / f"{part}.{suffix}", dtype=dtype) for part, _, _ in parts]
            return np.concatenate([file[rows] for file, (_, _, rows) in zip(files, parts)])

        self.x = np.concatenate([x[rows] for _, x, rows in parts])
        self.label, self.probability = said("label", "u1"), said("probability", "<f8")
        self.exempt = said("exempt", "u1").astype(bool)


def main(work, runs):
    # It would warn that the file names no version of Python.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    failures = []
    print(f"{'case':50} {'rows':>6} {'exempt':>6} {'KiB':>8} {'us/row':>8}  greatest difference")
    for case in variants(work / "variants"):
        failures += compare(case, VARIANT_COLUMNS)
    for number, run in enumerate(map(Path, runs)):
        for case, columns in trials(run, work / f"run-{number}"):
            failures += compare(case, columns)
    for failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    return 1 if failures else 0


def variants(directory):
    subprocess.run([os.environ["CASE"], "variants", directory], check=True)
    for path in sorted(directory.iterdir()):
        columns = onnx.load(path / "bundle" / "model.onnx").graph.input[0].type.tensor_type.shape.dim[1].dim_value
        x = np.fromfile(path / "rows.x", dtype="<f8").reshape(-1, columns)
        yield Case(path.name, path, [("rows", x, slice(None))], batch=64)


def trials(run, directory):
    """Cases for every family and representation, one after the other, with their columns."""
    matrices = directory / "matrices"
    matrices.mkdir(parents=True)
    tables = {split: features(run, split) for split in SPLITS}
    for split, x in tables.items():
        x.astype("<f8").tofile(matrices / f"{split}.x")
    flows = np.array([flow for split in SPLITS[1:] for flow in stored_flows(run, split)], dtype=object)
    for representation in REPRESENTATIONS:
        for family in FAMILIES:
            trial = f"{representation}-{family}-best"
            arguments = ["trial", run, trial, matrices, directory / trial, f"{SLOPE}", f"{OFFSET}"]
            subprocess.run([os.environ["CASE"], *arguments], check=True)
            labels = np.fromfile(directory / trial / "test.label", dtype="u1")
            assert (labels == labels_when_trained(run, trial)).all(), f"{trial}: labels are not those of the training"
            name, parts = f"{run.name} {trial}", [(split, x, slice(None)) for split, x in tables.items()]
            if family == "knn":
                yield Case(f"{name}, served", directory / trial, parts, 1024, flows), SERVED
                last = len(tables["train"]) - 1
                some = np.linspace(0, last, min(KNN_TRAIN_ROWS, last + 1)).astype(int)
                parts = [("train", tables["train"], some), ("validation", tables["validation"], slice(None))]
                yield Case(name, directory / trial, parts, KNN_BATCH), COLUMNS
            else:
                once = ONCE[1] if family == ONCE[0] else {}
                yield Case(name, directory / trial, parts, 1024, flows), COLUMNS | SERVED | once


def features(run, split):
    """Rows of features in column order; they come before the label."""
    table = parquet.read_table(run / "features" / f"{split}.parquet")
    names = table.schema.names[: table.schema.names.index("label")]
    return np.column_stack([table[name].to_numpy() for name in names])


def stored_flows(run, split):
    """The canonical flows of a split as JSON objects, without what a predictor should not see."""
    table = parquet.read_table(run / "features" / f"flows-{split}.parquet").drop_columns(["label", "attack"])
    time = table.schema.get_field_index("event_time")
    table = table.set_column(time, "event_time", table["event_time"].cast("int64"))
    return [{name: value for name, value in flow.items() if value is not None} for flow in table.to_pylist()]


def labels_when_trained(run, trial):
    """The labels of test that the training scored: it has kept for each row whether it was right."""
    trials = json.loads((run / "trials" / trial.removesuffix("-best") / "trials.json").read_text())["trials"]
    correct = next(kept["correct"] for kept in trials if kept["id"] == trial)
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(correct["hex"]), dtype="u1"), bitorder="little")
    actual = parquet.read_table(run / "features" / "test.parquet", columns=["label"])["label"].to_numpy()
    return np.where(bits[: correct["length"]] == 1, actual, 1 - actual)


def compare(case, columns):
    """What is wrong with a case, in words; prints its line."""
    model = case.bundle / "model.onnx"
    onnx.checker.check_model(str(model), full_check=True)
    files = sorted(os.listdir(case.bundle))
    failures = []
    if case.exempt.mean() > MOST_EXEMPT:
        failures.append(f"{case.exempt.sum()} of {len(case.x)} rows are exempt")
    differences = []
    for name, (column, tolerance) in columns.items():
        rows = case.flows if column is in_v1_with_flows else case.x
        here = slice(len(case.x) - len(rows), None)
        exempt = case.exempt[here]
        with column(case.bundle, case.batch) as predict:
            labels, probabilities = in_batches(predict, rows, case.batch)
        wrong = (labels != case.label[here]) & ~exempt
        if wrong.any():
            failures.append(f"{name}: {wrong.sum()} of {len(rows)} labels differ, first in row {wrong.argmax()}")
        difference = np.where(exempt, 0.0, np.abs(probabilities - case.probability[here]))
        if not (difference <= tolerance).all():
            failures.append(f"{name}: probabilities differ by up to {difference.max():.3g}, in row {difference.argmax()}")
        differences.append(f"{name} {difference.max():.1e}")
    if sorted(os.listdir(case.bundle)) != files:
        failures.append("a runtime has left a file in the bundle, which does not open any more")
    size, latency = model.stat().st_size / 1024, microseconds(model, case.x)
    numbers = f"{len(case.x):6} {case.exempt.sum():6} {size:8.1f} {latency:8.1f}"
    print(f"{case.name:50} {numbers}  {', '.join(differences)}", flush=True)
    return [f"{case.name}: {failure}" for failure in failures]


def in_batches(predict, x, batch):
    if getattr(predict, "whole", False):
        return predict(x)
    parts = [predict(x[start : start + batch]) for start in range(0, len(x), batch)]
    return [np.concatenate(part) for part in zip(*parts)]


def microseconds(model, x):
    """Median time of a single row in onnxruntime, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    times = []
    for row in range(200):
        row = x[row % len(x)][None, :]
        begin = time.perf_counter()
        session.run(None, {"X": row})
        times.append(time.perf_counter() - begin)
    return np.median(times) * 1e6


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
