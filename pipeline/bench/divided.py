#!/usr/bin/env python3
"""Steps divided among many machines against the undivided ones: the same artifacts, and what each step costs.

  divided.py --rows 5000000 --parts 2 --shards 2 [--models decision-tree,logistic-regression] [--record FILE]

Makes flows with `weir simulate flows` and runs the programs of the images one after the other, as a workflow calls them:
features as one and as plan, parts, gather; each search as one and as plan, shards, gather. Compares every file of the
artifacts but those of measurements, and prints a JSON line per program with wall seconds, CPU seconds and peak memory.
A cluster runs parts, and shards, side by side: the line of a group has the longest of them.
"""

import argparse
import filecmp
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import search_runs

PROGRAMS = "target/x86_64-unknown-linux-gnu/release"
MEASURED = {"run-info.json", "report.html"}


def timed(lines, step, command):
    begin = time.perf_counter()
    run = search_runs.run(command)
    seconds = time.perf_counter() - begin
    lines.append({"step": step, "seconds": round(seconds, 2), "cpu_seconds": round(run.cpu_seconds, 2), "peak_mb": run.peak_mb})
    print(json.dumps(lines[-1]), flush=True)
    return seconds


def files(folder):
    return {
        os.path.relpath(os.path.join(path, name), folder)
        for path, _, names in os.walk(folder)
        for name in names
        if name not in MEASURED
    }


def compare(one, other):
    """Ends the script where two artifacts differ."""
    if files(one) != files(other):
        sys.exit(f"{one} and {other} have different files: {sorted(files(one) ^ files(other))}")
    different = [name for name in files(one) if not filecmp.cmp(f"{one}/{name}", f"{other}/{name}", shallow=False)]
    if different:
        sys.exit(f"{one} and {other} differ in {different}")


def group(lines, step, undivided, plan, pieces, gather):
    """What a divided step costs where every piece has a machine of its own."""
    line = {"step": step, "undivided_seconds": round(undivided, 2), "seconds": round(plan + max(pieces) + gather, 2)}
    lines.append(line)
    print(json.dumps(line), flush=True)


def features(args, lines, work, flows):
    program = f"{args.programs}/weir-features"
    common = ["--quiet"]
    one = timed(lines, "features", [program, "--data", flows, "--out", f"{work}/features", *common])
    plan_file = f"{work}/plan.json"
    plan = timed(lines, "features plan", [program, "plan", "--data", flows, "--parts", str(args.parts), "--plan", plan_file, *common])
    places = [f"{work}/parts/{part}" for part in range(args.parts)]
    pieces = [
        timed(lines, f"features run-part {part}", [program, "run-part", "--plan", plan_file, "--part", str(part), "--out", place, *common])
        for part, place in enumerate(places)
    ]
    gather = timed(lines, "features gather", [program, "gather", "--plan", plan_file, "--parts", f"{work}/parts", "--out", f"{work}/gathered", *common])
    compare(f"{work}/features", f"{work}/gathered")
    group(lines, f"features in {args.parts} parts", one, plan, pieces, gather)
    for place in [f"{work}/parts", f"{work}/gathered"]:
        shutil.rmtree(place)


def training(args, lines, work, model):
    program = f"{args.programs}/weir-training"
    place = ["--features", f"{work}/features"]
    one = timed(lines, f"training {model}", [program, *place, "--model", model, "--out", f"{work}/{model}", "--quiet"])
    plan_dir = f"{work}/{model}-plan"
    plan = timed(lines, f"training {model} plan", [program, "plan", *place, "--model", model, "--shards", str(args.shards), "--out", plan_dir, "--quiet"])
    places = [f"{work}/{model}-shards/{shard}" for shard in range(args.shards)]
    pieces = [
        timed(lines, f"training {model} run-shard {shard}", [program, "run-shard", "--plan", plan_dir, *place, "--shard", str(shard), "--out", out, "--quiet"])
        for shard, out in enumerate(places)
    ]
    gathered = f"{work}/{model}-gathered"
    gather = timed(lines, f"training {model} gather", [program, "gather", "--plan", plan_dir, *place, "--shards", f"{work}/{model}-shards", "--out", gathered, "--quiet"])
    compare(f"{work}/{model}", gathered)
    group(lines, f"training {model} in {args.shards} shards", one, plan, pieces, gather)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000, help="records of the input")
    parser.add_argument("--parts", type=int, default=2)
    parser.add_argument("--shards", type=int, default=2)
    parser.add_argument("--models", default="decision-tree,logistic-regression")
    parser.add_argument("--programs", default=PROGRAMS, help="directory of the binaries")
    parser.add_argument("--record", help="file to append the lines to")
    args = parser.parse_args()
    lines = [search_runs.head()]
    with tempfile.TemporaryDirectory(dir="target") as work:
        flows = f"{work}/flows.csv"
        subprocess.run([f"{args.programs}/weir", "simulate", "flows", "--rows", str(args.rows), "--out", flows, "--quiet"], check=True)
        features(args, lines, work, flows)
        for model in args.models.split(","):
            training(args, lines, work, model)
    if args.record:
        with open(args.record, "a", encoding="utf-8") as record:
            record.writelines(json.dumps(line) + "\n" for line in lines)


if __name__ == "__main__":
    try:
        main()
    except search_runs.Failed as error:
        sys.exit(f"error: {error}")
