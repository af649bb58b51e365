"""What search_cost.py and search_growth.py share: made-up flows, `weir train`, its seconds and memory."""

import datetime
import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass

WEIR = "target/x86_64-unknown-linux-gnu/release/weir"
FAMILIES = ["svc", "logistic-regression", "knn", "decision-tree"]
# Of simulated records about 42 % are the last of their flow, of which 70 % are train.
RECORDS_PER_TRAIN_ROW = 1 / (0.42 * 0.7)
# Set, these would overrule the number of threads that joblib gives each of its workers.
THREAD_VARIABLES = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]


class Failed(Exception):
    """A command ended with an error or was ended after its time; says which and why."""


@dataclass
class Run:
    """A finished command: its standard output, CPU seconds and peak memory (MiB)."""

    output: bytes
    cpu_seconds: float
    peak_mb: int


def run(command, timeout=None):
    """Runs a command to its end, for `timeout` seconds at most."""
    environment = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment) as process,
    ):
        late = threading.Event()
        clock = threading.Timer(timeout or threading.TIMEOUT_MAX, lambda: (late.set(), process.kill()))
        clock.daemon = True
        clock.start()
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        clock.cancel()
        if late.is_set():
            raise Failed(f"took longer than {timeout} s")
        if process.returncode:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines() or ["nothing on standard error"]
            raise Failed(f"{shlex.join(command)} ended with {process.returncode}: {said[-1]}")
    return Run(output, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024)


def head():
    """First line of a record: when, by which command and where it was made."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "command": shlex.join(["pipeline/bench/" + os.path.basename(sys.argv[0]), *sys.argv[1:]]),
        "machine": processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def version(weir):
    return run([weir, "--version"]).output.decode().strip()


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return "unknown"


def bind_to(cpus):
    """Leaves this process and its children `cpus` CPUs: NumPy and joblib start as many threads as they see."""
    if hasattr(os, "sched_getaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cpus])


def simulate(weir, train_rows, seed, path):
    """Writes records of which about `train_rows` flows come to train."""
    records = round(train_rows * RECORDS_PER_TRAIN_ROW)
    run([weir, "simulate", "flows", "--rows", str(records), "--seed", str(seed), "--out", path, "--quiet"])


def make_features(weir, data, feature_set, out):
    run([weir, "features", "--data", data, "--feature-set", feature_set, "--no-audit", "--out", out, "--quiet"])


def rows_of(features):
    """Rows of train, test and so on, by the manifest of a features artifact."""
    return read(features, "manifest.json")["rows"]


def train(weir, features, family, out, jobs, memory=None, grid=None, timeout=None):
    """Trains a family on the baseline representation into `out`, which must not be there: nothing is reused.

    `grid` holds lists by parameter, which replace those of the built-in grid. Returns seconds, memory and parts.
    """
    if os.path.exists(out):
        raise Failed(f"{out} is there already, and pieces of its search might be reused; remove it")
    command = [weir, "train", "--features", features, "--model", family, "--representation", "baseline"]
    command += ["--jobs", str(jobs), "--force", "--out", out, "--quiet", *settings(family, grid or {})]
    if memory:
        command += ["--memory", str(memory)]
    done = run(command, timeout)
    info = read(out, "run-info.json")
    resumed = sum(rung["resumed"] for rung in info.get("rungs", []))
    if resumed:
        raise Failed(f"{resumed} pieces of {out} are from an earlier run")
    return {
        "seconds": round(computing_seconds(info["parts"]), 4),
        "process_cpu_seconds": round(done.cpu_seconds, 3),
        "peak_mb": round(info["peak_memory"] / 2**20),
        "parts": {name: round(part, 4) for name, part in info["parts"].items()},
        "code_path": info["code_path"],
    }


def settings(family, grid):
    """Arguments that replace lists of the grid; a JSON list of numbers and strings is one of TOML, too."""
    lists = [f"training.grid.{family}.{name}={json.dumps(values)}" for name, values in grid.items()]
    return [word for assignment in lists for word in ("--set", assignment)]


def computing_seconds(parts):
    """From loaded matrices to scored results: scaling, default fit, search, fit of the best, scoring.

    Builds that fit the default beside the search measure this as `compute`; in older ones the parts follow each other,
    and all but `read` belong to it (writing is none of them).
    """
    if "compute" in parts:
        return parts["compute"]
    return sum(seconds for name, seconds in parts.items() if name != "read")


def read(directory, name):
    with open(os.path.join(directory, name), encoding="utf-8") as file:
        return json.load(file)


def mean_of(path, parameters):
    """Mean accuracy of a candidate by a search.json; None where it has no such candidate."""
    with open(path, encoding="utf-8") as file:
        candidates = json.load(file)["candidates"]
    return next((candidate["mean"] for candidate in candidates if candidate["parameters"] == parameters), None)


class Record:
    """JSON lines, printed as they become known; a file gets them at the end, so that a failed run leaves none."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(json.dumps(line))
        print(self.lines[-1], flush=True)

    def append_to(self, path):
        with open(path, "a", encoding="utf-8") as file:
            file.write("\n".join(self.lines) + "\n")
        print(f"appended to {path}", file=sys.stderr)
