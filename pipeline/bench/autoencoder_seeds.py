#!/usr/bin/env python3
"""Does the autoencoder train well for every seed, or only for the one the report used?

  pipeline/bench/autoencoder_seeds.py WEIR FEATURES [--seeds 1,2,3,4,5,6,7,8,9,42] [--record FILE.jsonl]

For every seed and for KNN and the decision tree runs
  WEIR train --features FEATURES --model MODEL --representation autoencoder --set seed=SEED --out DIR
and reads encoder.json and trials.json. FEATURES is the features directory of a run on the full data set: the bounds
below are about it, the sample is too small for them. Needs no packages (Python 3.11 or later). What must hold:
- final loss: median over the seeds below MEDIAN_LOSS, none above LARGEST_LOSS,
- for every seed, the loss of epoch 6 at least FALL times the final loss,
- for every seed, default accuracy on test of at least ACCURACY for both models,
- both models of a seed got the same encoder, and no two seeds the same.
Dead latent units are counted, they break no bound.

Prints a table. --record writes the raw numbers: a first line with date, command and machine, then one line per seed.
Exit code: 0 all holds; 1 something does not; 2 usage; 3 a training failed or left something unreadable.
"""

import argparse
import datetime
import hashlib
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODELS = ["knn", "decision-tree"]
MEDIAN_LOSS = 0.0025
LARGEST_LOSS = 0.006
EPOCH = 6
FALL = 5.0
ACCURACY = 0.99
FORMAT = 1


class Unusable(Exception):
    """A training failed or left something this script cannot read."""


def main(argv=None):
    args = parse_arguments(argv)
    try:
        head = origin(args, sys.argv[1:] if argv is None else argv)
        with tempfile.TemporaryDirectory(prefix="autoencoder-seeds-") as directory:
            records = []
            for seed in args.seeds:
                records.append(measure(args.weir, args.features, seed, Path(directory)))
                print(f"seed {seed}: {records[-1]['seconds']} s", file=sys.stderr)
    except Unusable as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    if args.record:
        args.record.parent.mkdir(parents=True, exist_ok=True)
        args.record.write_text("".join(json.dumps(line) + "\n" for line in [head, *records]), encoding="utf-8")
    print_table(records)
    failures = broken_bounds(records)
    print("\n" + "\n".join([f"- {failure}" for failure in failures] + ["FAILED"] if failures else ["All bounds hold."]))
    return 1 if failures else 0


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description="Trains the autoencoder with several seeds and checks how it went.")
    parser.add_argument("weir", metavar="WEIR", help="the weir binary")
    parser.add_argument("features", type=Path, metavar="FEATURES", help="features directory of a run")
    parser.add_argument("--seeds", default="1,2,3,4,5,6,7,8,9,42", help="comma-separated (default: %(default)s)")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the raw numbers there as JSON lines")
    args = parser.parse_args(argv)
    try:
        args.seeds = [int(seed) for seed in args.seeds.split(",")]
    except ValueError as error:
        parser.error(f"--seeds: {error}")
    if len(args.seeds) != len(set(args.seeds)):
        parser.error("--seeds: a seed is given twice")
    return args


def origin(args, arguments):
    train = args.features / "train.parquet"
    try:
        with open(train, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        version = subprocess.run([args.weir, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unusable(f"cannot begin: {error}") from error
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": shlex.join(["pipeline/bench/autoencoder_seeds.py", *arguments]),
        "weir": version,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "train_sha256": digest,
    }


def measure(weir, features, seed, directory):
    start = time.perf_counter()
    accuracies, encoders = {}, []
    for model in MODELS:
        out = directory / f"{seed}-{model}"
        train(weir, features, model, seed, out)
        encoders.append(read(out / "encoder.json"))
        accuracies[model] = default_accuracy(read(out / "trials.json"), model)
    encoder = encoders[0]
    if len(encoder["loss"]) < EPOCH:
        raise Unusable(f"seed {seed}: {len(encoder['loss'])} epochs, at least {EPOCH} are needed")
    return {
        "seed": seed,
        "layers": encoder["layers"],
        "loss": encoder["loss"],
        "final_loss": encoder["final_loss"],
        "dead_units": encoder["dead_units"],
        "default_accuracy": accuracies,
        "same_encoder": all(other == encoder for other in encoders),
        "seconds": round(time.perf_counter() - start, 3),
    }


def train(weir, features, model, seed, out):
    command = [weir, "train", "--features", str(features), "--model", model, "--representation", "autoencoder"]
    command += ["--set", f"seed={seed}", "--out", str(out)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Unusable(f"cannot run {weir}: {error}") from error
    if done.returncode != 0:
        raise Unusable(f"exit code {done.returncode} from {shlex.join(command)}:\n{done.stderr.strip()}")


def read(path):
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unusable(f"cannot read {path}: {error}") from error
    if document.get("format") != FORMAT:
        raise Unusable(f"{path} has format {document.get('format')}, this script reads {FORMAT}")
    return document


def default_accuracy(trials, model):
    name = f"autoencoder-{model}-default"
    for trial in trials["trials"]:
        if trial["id"] == name:
            confusion = trial["confusion"]
            return (confusion["true_negatives"] + confusion["true_positives"]) / sum(confusion.values())
    raise Unusable(f"trials.json has no trial {name}")


def fall(record):
    final = record["final_loss"]
    return record["loss"][EPOCH - 1] / final if final > 0 else float("inf")


def broken_bounds(records):
    """What does not hold, in words. Conditions are written so that NaN breaks them."""
    failures = []
    median = statistics.median(record["final_loss"] for record in records)
    if not median < MEDIAN_LOSS:
        failures.append(f"median final loss is {median:.6f}, not below {MEDIAN_LOSS}")
    for record in records:
        seed = f"seed {record['seed']}"
        if not record["final_loss"] <= LARGEST_LOSS:
            failures.append(f"{seed}: final loss {record['final_loss']:.6f} is above {LARGEST_LOSS}")
        if not fall(record) >= FALL:
            failures.append(f"{seed}: loss of epoch {EPOCH} is {fall(record):.2f} times the final loss, not {FALL:g}")
        for model, accuracy in record["default_accuracy"].items():
            if not accuracy >= ACCURACY:
                failures.append(f"{seed}: default accuracy of {model} is {accuracy:.5f}, below {ACCURACY}")
        if not record["same_encoder"]:
            failures.append(f"{seed}: {' and '.join(MODELS)} got different encoders")
    if len({json.dumps(record["loss"]) for record in records}) < len(records):
        failures.append("two seeds have the same losses: the seed is not used")
    return failures


def print_table(records):
    head = ["seed", "loss 1", f"loss {EPOCH}", "final loss", f"loss {EPOCH} / final", "dead units", *MODELS]
    rows = [
        [
            str(record["seed"]),
            f"{record['loss'][0]:.5f}",
            f"{record['loss'][EPOCH - 1]:.5f}",
            f"{record['final_loss']:.6f}",
            f"{fall(record):.1f}",
            str(len(record["dead_units"])),
            *(f"{record['default_accuracy'][model]:.5f}" for model in MODELS),
        ]
        for record in records
    ]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths)))
    losses = [record["final_loss"] for record in records]
    dead = sum(len(record["dead_units"]) for record in records)
    print(f"\nfinal loss: median {statistics.median(losses):.6f}, largest {max(losses):.6f}; {dead} dead units in all")


if __name__ == "__main__":
    sys.exit(main())
