#!/usr/bin/env python3
"""What the predictor costs, against a bare JSON echo and against predictors in Python.

  serving.py --run RUN [--python PYTHON] [--mlserver DIR/bin/mlserver] [--server "weir serve"] [--record FILE]

Packages the best trial of every family by itself, fits the same model with scikit-learn, and puts load on all servers
in turn, in every round: the server on one CPU, wrk on another. Prints JSON lines and tables of their medians.
README.md, "Serving", says what is measured.
"""

import argparse
import contextlib
import json
import os
import shlex
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import serving_servers
from search_runs import FAMILIES, WEIR, Failed, Record, head, run, version
from serving_servers import Server, free_port

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = "target/x86_64-unknown-linux-gnu/release/weir-serving"
ECHO = "target/x86_64-unknown-linux-gnu/release/echo"
V1, V2 = "/v1/models/{}:predict", "/v2/models/{}/infer"


@dataclass
class Way:
    """A server, one of its protocols, and how requests are written for it."""

    name: str
    server: Server
    path: str
    body: callable


def main():
    args = arguments()
    record = Record()
    os.sched_setaffinity(0, {args.load_cpu})
    record.say(head() | {"weir": version(args.weir), "wrk": wrk_version(), "python": python_versions(args)})
    folder = tempfile.mkdtemp(dir=args.dir)
    try:
        rows = json.loads(reference(args, "rows", "--rows", str(args.batch)).output)["rows"]
        files = write_bodies(rows, folder)
        lines = []
        for family in args.families:
            for line in measure_family(args, family, rows, files, folder):
                record.say(line)
                lines.append(line)
        record.say(summary := summarise(lines))
    finally:
        shutil.rmtree(folder)
    print_tables(summary)
    if args.record:
        record.append_to(args.record)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, help="directory of a run with features and trials")
    parser.add_argument("--families", type=lambda text: text.split(","), default=FAMILIES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8, help="of load per measurement")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--batch", type=int, default=1000, help="rows of a batch")
    parser.add_argument("--starts", type=int, default=50, help="starts of Weir and echo; the others start three times")
    parser.add_argument("--server", type=shlex.split, default=[SERVER], help='words such as "weir serve"')
    parser.add_argument("--weir", default=WEIR)
    parser.add_argument("--echo", default=ECHO, help="the program of pipeline/bench/echo")
    parser.add_argument("--python", default=sys.executable, help="has scikit-learn, FastAPI and uvicorn")
    parser.add_argument("--mlserver", help="mlserver with mlserver-sklearn; left out without it")
    parser.add_argument("--server-cpu", type=int, default=0)
    parser.add_argument("--load-cpu", type=int, default=1)
    parser.add_argument("--dir", help="where the files go [default: a temporary directory]")
    parser.add_argument("--record", help="file to append the lines to")
    args = parser.parse_args()
    for family in args.families:
        if family not in FAMILIES:
            parser.error(f"unknown family {family!r}; known are {', '.join(FAMILIES)}")
    return args


def measure_family(args, family, rows, files, folder):
    """Lines of one family: starts of every server, then load in rounds."""
    bundle = package(args, family, os.path.join(folder, family))
    servers = make_servers(args, family, bundle, folder)
    for server in servers:
        often = args.starts if server.name in ("weir", "echo") else 3
        yield {"family": family, "way": server.name, "measure": "start", **starts(server, often)}

    with contextlib.ExitStack() as started:
        for server in servers:
            started.enter_context(server)
        answered_alike(family, servers, rows)
        loads = [("single", 1), ("single", args.connections), ("batch", 4)]
        for number in range(args.rounds):
            for size, connections in loads:
                for way in ways(servers):
                    result = load(args, way, files[size, way.body], connections)
                    yield {"round": number, "family": family, "way": way.name, "measure": size,
                           "connections": connections, **result}
        for server in servers:
            yield {"family": family, "way": server.name, "measure": "memory", "resident_mb": server.resident_mb()}


def package(args, family, folder):
    """A bundle of the family's best trial on the baseline."""
    trials = os.path.join(args.run, "trials", f"baseline-{family}")
    selection, out = os.path.join(folder, "selection"), os.path.join(folder, "package")
    run([args.weir, "select", "--trials", trials, "--out", selection, "--quiet"])
    run([args.weir, "package", "--features", features(args), "--selection", selection, "--trials", trials,
         "--out", out, "--quiet"])
    return os.path.join(out, "bundle")


def make_servers(args, family, bundle, folder):
    """Weir, the echo, FastAPI and, if asked for, MLServer, none of them started."""
    cpus = {args.server_cpu}
    weir = serving_servers.weir(args.server, bundle, cpus, ["--model-name", "model"])
    port = free_port()
    echo = Server("echo", [args.echo, str(port)], port, cpus)
    model = os.path.join(folder, f"{family}-fastapi.joblib")
    reference(args, "fit", "--bundle", bundle, "--out", model)
    port = free_port()
    fastapi = Server("fastapi", [
        args.python, "-m", "uvicorn", "--app-dir", HERE, "serving_reference:app", "--port", str(port),
        "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning",
    ], port, cpus, {"MODEL": model})
    return [weir, echo, fastapi, *([mlserver(args, family, bundle, folder)] if args.mlserver else [])]


def mlserver(args, family, bundle, folder):
    """MLServer without workers of its own, and without an access log, with a model that its scikit-learn fitted."""
    python = os.path.join(os.path.dirname(args.mlserver), "python")
    home = os.path.join(folder, f"{family}-mlserver")
    os.mkdir(home)
    reference(args, "fit", "--bundle", bundle, "--out", os.path.join(home, "model.joblib"), python=python)
    ports = [free_port() for _ in range(3)]
    settings = dict(zip(["http_port", "grpc_port", "metrics_port"], ports))
    settings |= {"host": "127.0.0.1", "parallel_workers": 0, "debug": False}
    model = {"name": "model", "implementation": "mlserver_sklearn.SKLearnModel",
             "parameters": {"uri": "./model.joblib"}}
    for name, content in [("settings.json", settings), ("model-settings.json", model)]:
        with open(os.path.join(home, name), "w", encoding="utf-8") as file:
            json.dump(content, file)
    return Server("mlserver", [args.mlserver, "start", home], ports[0], {args.server_cpu},
                  path="/v2/models/model/ready")


def features(args):
    return os.path.join(args.run, "features")


def reference(args, command, *words, python=None):
    script = os.path.join(HERE, "serving_reference.py")
    return run([python or args.python, script, command, "--splits", features(args), *words])


def ways(servers):
    """Every server in every protocol that a measurement compares."""
    found = []
    for server in servers:
        if server.name != "mlserver":
            found.append(Way(server.name, server, V1.format("echo" if server.name == "echo" else "model"), v1_body))
        if server.name in ("weir", "mlserver"):
            found.append(Way(f"{server.name}-v2", server, V2.format("model"), v2_body))
        if server.name == "weir":
            found.append(Way("weir-v2-binary", server, V2.format("model"), v2_binary_body))
    return found


def v1_body(rows):
    """A body, and the length of the JSON in front of binary data, or 0."""
    return json.dumps({"instances": rows}, separators=(",", ":")).encode(), 0


def v2_body(rows):
    data = [value for row in rows for value in row]
    return json.dumps({"inputs": [tensor(rows) | {"data": data}]}, separators=(",", ":")).encode(), 0


def v2_binary_body(rows):
    data = struct.pack(f"<{len(rows) * len(rows[0])}d", *(value for row in rows for value in row))
    request = {"inputs": [tensor(rows) | {"parameters": {"binary_data_size": len(data)}}]}
    text = json.dumps(request, separators=(",", ":")).encode()
    return text + data, len(text)


def tensor(rows):
    return {"name": "features", "shape": [len(rows), len(rows[0])], "datatype": "FP64"}


def write_bodies(rows, folder):
    """Files for serving_load.lua: every row by itself, and all rows in one body."""
    files = {}
    for body in (v1_body, v2_body, v2_binary_body):
        for size, batches in [("single", [[row] for row in rows]), ("batch", [rows])]:
            files[size, body] = os.path.join(folder, f"{body.__name__}-{size}")
            with open(files[size, body], "wb") as file:
                for content, length in map(body, batches):
                    file.write(f"{len(content)} {length}\n".encode() + content)
    return files


def starts(server, often):
    """Milliseconds from before the process is made to the first 200, and memory then: medians."""
    times, memory = [], []
    for _ in range(often):
        with server:
            times.append(server.ready_ms)
            memory.append(server.resident_mb())
    return {"starts": often, "ready_ms": statistics.median(times), "slowest_ready_ms": max(times),
            "resident_mb": statistics.median(memory)}


def answered_alike(family, servers, rows):
    """Refuses to measure servers that do not answer with the labels of (nearly) the same model."""
    labels = {}
    for way in ways(servers):
        status, answer = way.server.ask("POST", way.path, *way.body(rows))
        if status != 200:
            raise Failed(f"{way.name} answers {status}: {answer}")
        if way.name != "echo":
            labels[way.name] = answer["predictions"] if "predictions" in answer else answer["outputs"][0]["data"]
    for name, found in labels.items():
        same = sum(a == b for a, b in zip(found, labels["weir"]))
        if len(found) != len(rows) or same < 0.98 * len(rows):
            raise Failed(f"{name} agrees with weir on {same} of {len(rows)} rows of {family}")


def load(args, way, bodies, connections):
    """What wrk measures with so many connections, each of which sends its next request when it has its answer."""
    url = way.server.url(way.path)
    cpu_seconds = way.server.cpu_seconds()
    with serving_servers.bound_to({args.load_cpu}):
        done = subprocess.run(
            ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{args.seconds}s",
             "--timeout", "30s", "--script", os.path.join(HERE, "serving_load.lua"), url, "--", bodies],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    if done.returncode or not last.startswith("{"):
        raise Failed(f"wrk on {url} ended with {done.returncode}: {done.stdout[-500:]}")
    counts = json.loads(last)
    if counts["not_2xx"] or counts["broken"]:
        raise Failed(f"wrk on {url} counted failures: {last}")
    way.server.settle()
    seconds = counts["microseconds"] / 1e6
    return {"per_second": round(counts["requests"] / seconds, 1), "p50_us": counts["p50_us"],
            "p99_us": counts["p99_us"], "requests": counts["requests"],
            "cpu_us": round((way.server.cpu_seconds() - cpu_seconds) * 1e6 / counts["requests"], 2)}


def summarise(lines):
    """Medians over the rounds, and what Weir's are in proportion to the others'."""
    found = {}
    for line in lines:
        key = (line["family"], line["measure"], line.get("connections"), line["way"])
        for name in ("per_second", "p50_us", "p99_us", "cpu_us", "ready_ms", "resident_mb"):
            if name in line:
                found.setdefault(key, {}).setdefault(name, []).append(line[name])
    medians = {key: {name: statistics.median(values) for name, values in of.items()} for key, of in found.items()}
    table = []
    for (family, measure, connections, way), of in medians.items():
        row = {"family": family, "measure": measure, "way": way} | ({"connections": connections} if connections else {})
        row |= of
        if not way.startswith("weir"):
            weir = medians[family, measure, connections, "weir-v2" if way == "mlserver-v2" else "weir"]
            row |= {f"weir_{name}_ratio": proportion(name, weir[name], value) for name, value in of.items()}
        table.append(row)
    return {"medians": table}


def proportion(name, weir, other):
    """How many times better Weir is."""
    return round(weir / other if name == "per_second" else other / weir, 3)


def print_tables(summary):
    """A table per family and measure."""
    columns = ["per_second", "p50_us", "p99_us", "cpu_us", "ready_ms", "resident_mb"]
    tables = {}
    for row in summary["medians"]:
        tables.setdefault((row["family"], row["measure"], row.get("connections")), []).append(row)
    for (family, measure, connections), rows in tables.items():
        given = [name for name in columns if name in rows[0]]
        print(f"\n{family}, {measure}" + (f", {connections} connections" if connections else ""))
        print("| | " + " | ".join(given) + " |\n|---|" + "---|" * len(given))
        for row in rows:
            ratios = {name: f" ({row[f'weir_{name}_ratio']})" for name in given if f"weir_{name}_ratio" in row}
            print(f"| {row['way']} | " + " | ".join(f"{row[name]:g}{ratios.get(name, '')}" for name in given) + " |")


def wrk_version():
    try:
        done = subprocess.run(["wrk", "--version"], stdout=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        raise Failed("wrk is not installed; apt-get install wrk") from None
    return " ".join(done.stdout.splitlines()[0].split()[:2])


def python_versions(args):
    """Versions of what is compared with, by distribution."""
    wanted = ["scikit-learn", "numpy", "fastapi", "uvicorn", "uvloop", "pydantic", "mlserver", "mlserver-sklearn"]
    code = (f"import importlib.metadata as m, json\nfound = {{d.metadata['Name']: d.version for d in m.distributions()}}"
            f"\nprint(json.dumps({{n: found[n] for n in {wanted!r} if n in found}}))")
    pythons = {"fastapi": args.python}
    if args.mlserver:
        pythons["mlserver"] = os.path.join(os.path.dirname(args.mlserver), "python")
    return {name: json.loads(run([python, "-c", code]).output) for name, python in pythons.items()}


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"error: {failure}")
