#!/usr/bin/env python3
"""What batch prediction costs, against the same work in pandas and scikit-learn.

  predict_cost.py --rows 1000000 --rounds 5 [--reference] [--python PYTHON] [--before weir] [--record FILE]

Makes flows with `weir simulate flows`, a bundle of a decision tree on the feature set `report`, and runs turn by turn in
every round: `weir predict FILE` on all cores and on one thread, `weir predict` with the file in a pipe, with --before an
earlier binary, and with --reference `predict_reference.py`. All write CSV to a file. Prints a JSON line per run and one
with the medians and ratios. --python names an interpreter with pandas and scikit-learn.

Seconds of Weir are those of the whole process; those of the reference leave out imports and fit. Memory is the peak of
the process.
"""
import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from search_runs import WEIR, Record, head

HERE = os.path.dirname(os.path.abspath(__file__))
TRAIN_ROWS = 50_000


def run(command, stdin=None):
    """The wall seconds, CPU seconds, peak memory (MB) and standard output of a command."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=stdin, stderr=subprocess.PIPE)
    output, said = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed with status {status}: {said.decode()}")
    seconds = time.perf_counter() - begin
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, output


def weir(binary, bundle, flows, out, *options):
    command = [binary, "predict", "--quiet", "--bundle", bundle, "--out", out, *options]
    if "-" in options:
        cat = subprocess.Popen(["cat", flows], stdout=subprocess.PIPE)
        with cat.stdout:
            seconds, cpu, peak, _ = run(command, cat.stdout)
        cat.wait()
    else:
        seconds, cpu, peak, _ = run([*command, flows])
    return {"seconds": round(seconds, 3), "process_cpu_seconds": round(cpu, 3), "peak_mb": peak}


def reference(python, flows, out):
    _, cpu, _, output = run([python, os.path.join(HERE, "predict_reference.py"), flows, out])
    return {**json.loads(output.splitlines()[-1]), "process_cpu_seconds": round(cpu, 3)}


def predictions(path):
    """How many predictions a file has, and a digest over line number, label and score of each.

    Nothing of them is kept: the peak memory of a process counts what it had when it was forked off this one."""
    digest, count = hashlib.sha256(), 0
    with open(path) as file:
        next(file)
        for count, line in enumerate(file, 1):
            _, number, _, label, score, _ = line.split(",", 5)
            digest.update(f"{number} {label} {score}\n".encode())
    return count, digest.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reference", action="store_true", help="run pandas and scikit-learn, too")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--weir", default=WEIR)
    parser.add_argument("--before", help="an earlier binary to compare with")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dir", help="where the files go [default: a temporary directory]")
    parser.add_argument("--record", help="file to append the lines to")
    args = parser.parse_args()

    record = Record()
    with tempfile.TemporaryDirectory(dir=args.dir) as folder:
        def path(name):
            return os.path.join(folder, name)

        def make(rows, name):
            subprocess.run([args.weir, "simulate", "flows", "--rows", str(rows), "--seed", str(args.seed),
                            "--out", path(name), "--quiet"], check=True)
            return path(name)

        flows = make(args.rows, "flows.csv")
        subprocess.run([args.weir, "run", "--data", make(TRAIN_ROWS, "train.csv"), "--out", path("run"), "--quiet",
                        "--feature-set", "report", "--models", "decision-tree", "--representations", "baseline"],
                       check=True, stdout=subprocess.DEVNULL)
        bundle, out = path("run/package/bundle"), path("predictions.csv")
        record.say({**head(), "rows": args.rows, "csv_bytes": os.path.getsize(flows)})

        ways = {"weir": lambda: weir(args.weir, bundle, flows, out),
                "one thread": lambda: weir(args.weir, bundle, flows, out, "--jobs", "1"),
                "pipe": lambda: weir(args.weir, bundle, flows, out, "-")}
        if args.before:
            ways["before"] = lambda: weir(args.before, bundle, flows, out)
        if args.reference:
            ways["pandas"] = lambda: reference(args.python, flows, path("reference.csv"))
        seconds, cpu, peaks, expected = {}, {}, {}, None
        for number in range(args.rounds):
            for way, work in ways.items():
                result = work()
                seconds.setdefault(way, []).append(result["seconds"])
                cpu.setdefault(way, []).append(result["process_cpu_seconds"])
                peaks.setdefault(way, []).append(result["peak_mb"])
                record.say({"round": number, "way": way, **result})
                if number == 0 and way != "pandas":
                    found = predictions(out)
                    expected = expected or found
                    if found != expected or found[0] != args.rows:
                        sys.exit(f"{way} has other predictions")
        medians = {way: statistics.median(values) for way, values in seconds.items()}
        record.say({
            "rows": args.rows,
            "median_seconds": {way: round(value, 3) for way, value in medians.items()},
            "median_cpu_seconds": {way: round(statistics.median(values), 3) for way, values in cpu.items()},
            "rows_per_second": {way: round(args.rows / value) for way, value in medians.items()},
            "peak_mb": {way: max(values) for way, values in peaks.items()},
            **{f"{way}_to_weir": round(value / medians["weir"], 2) for way, value in medians.items() if way != "weir"},
        })
    if args.record:
        record.append_to(args.record)


if __name__ == "__main__":
    main()
