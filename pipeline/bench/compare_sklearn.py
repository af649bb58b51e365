#!/usr/bin/env python3
"""Compares the baseline trials of a Weir run with scikit-learn's recorded numbers on the same splits and folds.

  pipeline/bench/compare_sklearn.py RUN_DIR pipeline/bench/results/<date>-sklearn-<name>.jsonl [--models knn,svc]

Reads RUN_DIR/trials/baseline-<model>/{search,trials}.json, the digests of RUN_DIR/features/{train,test}.parquet and a
record of sklearn_reference.py; needs no packages (Python 3.11 or later). What must hold per model:
- the same candidates in the same order,
- every candidate's mean accuracy over the folds within MEAN_BOUND of scikit-learn's; sigmoid SVC candidates beyond it
  are listed as exceptions instead, because their problem is not convex and has several solutions,
- the accuracy on test of the default fit, and of each side's own best, within TEST_BOUND. The parameters of the two
  best may differ, which is noted.

Exit code: 0 all holds; 1 something does not; 2 usage; 3 nothing to compare: a file is missing or unreadable, or the
record belongs to other Parquet files.
"""

import argparse
import hashlib
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

MODELS = ["svc", "logistic-regression", "knn", "decision-tree"]
MEAN_BOUND = 0.002
TEST_BOUND = 0.003
# 0.920 - 0.917 is a little more than 0.003 in f64.
ROUNDING = 1e-12
# Versions that are read; a search of version 2 may have cut candidates, which cannot be compared.
FORMATS = {"search.json": (1, 2), "trials.json": (1,)}


class Incomparable(Exception):
    """There is nothing to compare; says why and what to do."""


@dataclass
class Comparison:
    """One model family, Weir's numbers against scikit-learn's."""

    model: str
    candidates: int
    # Of the candidates under the bound: largest |difference| of the means, and whose.
    largest: float | None = None
    largest_of: str = ""
    # (setting, Weir's accuracy, scikit-learn's)
    accuracies: list[tuple[str, float, float]] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def main(argv=None):
    parser = argparse.ArgumentParser(description="Compares a run's trials with scikit-learn's recorded numbers.")
    parser.add_argument("run", type=Path, metavar="RUN_DIR")
    parser.add_argument("reference", type=Path, metavar="REFERENCE.jsonl")
    parser.add_argument("--models", default=",".join(MODELS), help="comma-separated (default: %(default)s)")
    args = parser.parse_args(argv)
    models = args.models.split(",")
    for model in models:
        if model not in MODELS:
            parser.error(f"unknown model {model!r}; known are {', '.join(MODELS)}")

    try:
        origin, reference = read_reference(args.reference)
        check_digests(args.run, args.reference, reference, models)
        comparisons = [compare(model, *read_trials(args.run, model), reference[model]) for model in models]
    except Incomparable as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except KeyError as error:
        print(f"error: {args.reference} or a file of {args.run}/trials has no field {error}", file=sys.stderr)
        return 3
    print_report(comparisons, origin, args.reference)
    return 1 if any(comparison.failures for comparison in comparisons) else 0


def read_reference(path):
    """The first line of the record, and its lines by model."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise Incomparable(f"cannot read the reference {path}: {error}") from error
    models = [line["model"] for line in lines if "model" in line]
    if not models or len(models) != len(set(models)):
        raise Incomparable(f"{path} does not hold one line per model but models {models}; record it again")
    return lines[0], {line["model"]: line for line in lines if "model" in line}


def check_digests(run, path, reference, models):
    again = f"record it again:\n  pipeline/bench/record_sklearn.sh {run} {record_name(path)}"
    digests = {}
    for split in ("train", "test"):
        file = run / "features" / f"{split}.parquet"
        try:
            with open(file, "rb") as opened:
                digests[split] = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise Incomparable(f"cannot read {file}: {error}; is {run} the directory of a run?") from error
    for model in models:
        if model not in reference:
            raise Incomparable(f"{path} has no numbers for {model}; leave it out with --models or {again}")
        for split, digest in digests.items():
            recorded = reference[model].get(f"{split}_sha256")
            if recorded != digest:
                raise Incomparable(
                    f"{path} belongs to other files: {model} was measured on {split}.parquet with SHA-256 {recorded}, "
                    f"the run has {digest}; {again}"
                )


def record_name(path):
    named = re.fullmatch(r"\d{4}-\d{2}-\d{2}-sklearn-(.+)", path.stem)
    return named[1] if named else "NAME"


def read_trials(run, model):
    """search.json and trials.json of a model on the baseline representation."""
    directory = run / "trials" / f"baseline-{model}"
    documents = []
    for name in ("search.json", "trials.json"):
        path = directory / name
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Incomparable(f"cannot read {path}: {error}; train {model} or leave it out with --models") from error
        if document.get("format") not in FORMATS[name]:
            known = " and ".join(map(str, FORMATS[name]))
            raise Incomparable(f"{path} has format {document.get('format')}, this script reads {known}")
        if any("cut" in candidate for candidate in document.get("candidates", [])):
            raise Incomparable(f"{path} holds candidates that were cut; search the whole grid, without a budget")
        documents.append(document)
    return documents


def compare(model, search, trials, reference):
    result = Comparison(model, len(search["candidates"]))
    compare_candidates(result, search["candidates"], reference["candidates"])
    compare_accuracies(result, trials["trials"], reference)

    best = search["candidates"][search["best"]]["parameters"]
    if best != reference["best_parameters"]:
        result.notes.append(f"best differs: Weir {text(best)}, scikit-learn {text(reference['best_parameters'])}")
    unconverged = sum(candidate.get("unconverged", 0) for candidate in search["candidates"])
    if unconverged:
        result.notes.append(f"{unconverged} fold fits of Weir stopped at their iteration limit")
    return result


def compare_candidates(result, ours, theirs):
    if [candidate["parameters"] for candidate in ours] != [candidate["parameters"] for candidate in theirs]:
        result.failures.append(difference_of_lists(ours, theirs))
        return
    for our, their in zip(ours, theirs):
        if len(our["scores"]) != len(their["scores"]):
            folds = f"Weir has {len(our['scores'])} folds, scikit-learn {len(their['scores'])}"
            result.failures.append(f"{folds} for {text(our['parameters'])}")
            continue
        difference = our["mean"] - their["mean"]
        holds = within(difference, MEAN_BOUND)
        means = f"Weir {our['mean']:.5f}, scikit-learn {their['mean']:.5f} ({difference:+.5f})"
        line = f"{text(our['parameters'])}: {means}"
        if not holds and result.model == "svc" and our["parameters"].get("kernel") == "sigmoid":
            result.exceptions.append(line)
            continue
        if not holds:
            result.failures.append(f"mean over the folds differs by more than {MEAN_BOUND} for {line}")
        # Written so that NaN, once seen, stays.
        if result.largest is None or not abs(difference) <= result.largest:
            result.largest, result.largest_of = abs(difference), text(our["parameters"])


def difference_of_lists(ours, theirs):
    names, their_names = ([text(candidate["parameters"]) for candidate in side] for side in (ours, theirs))
    missing = [name for name in their_names if name not in names]
    extra = [name for name in names if name not in their_names]
    if missing or extra:
        return f"candidates differ; only scikit-learn has {missing}, only Weir has {extra}"
    return f"candidates are in another order; Weir {names}, scikit-learn {their_names}"


def compare_accuracies(result, trials, reference):
    confusions = {trial["id"]: trial["confusion"] for trial in trials}
    for setting in ("default", "best"):
        confusion = confusions.get(f"baseline-{result.model}-{setting}")
        if confusion is None:
            result.failures.append(f"trials.json has no trial baseline-{result.model}-{setting}")
            continue
        correct = confusion["true_negatives"] + confusion["true_positives"]
        ours, theirs = correct / sum(confusion.values()), reference[f"{setting}_accuracy"]
        result.accuracies.append((setting, ours, theirs))
        if not within(ours - theirs, TEST_BOUND):
            difference = f"Weir {ours:.5f}, scikit-learn {theirs:.5f} ({ours - theirs:+.5f})"
            result.failures.append(f"{setting} accuracy on test differs by more than {TEST_BOUND}: {difference}")


def within(difference, bound):
    """Whether the bound holds; it does not for NaN."""
    return abs(difference) <= bound + ROUNDING


def text(parameters):
    return " ".join(f"{name}={value}" for name, value in sorted(parameters.items()))


def print_report(comparisons, origin, path):
    version, date = origin.get("scikit_learn", "of unknown version"), origin.get("date", "at an unknown time")
    print(f"Weir against scikit-learn {version}, recorded {date} in {path}\n")

    print(f"Mean accuracy over the folds (bound {MEAN_BOUND}, sigmoid exceptions left out)\n")
    rows = [
        [c.model, str(c.candidates), "-" if c.largest is None else f"{c.largest:.5f}", c.largest_of or "-"]
        for c in comparisons
    ]
    print_table(["model", "candidates", "largest |difference|", "of"], rows)

    print(f"\nAccuracy on test (bound {TEST_BOUND})\n")
    rows = [
        [c.model, setting, f"{ours:.5f}", f"{theirs:.5f}", f"{ours - theirs:+.5f}"]
        for c in comparisons
        for setting, ours, theirs in c.accuracies
    ]
    print_table(["model", "fit", "Weir", "scikit-learn", "difference"], rows)

    for title in ("notes", "exceptions", "failures"):
        lines = [f"- {c.model}: {line}" for c in comparisons for line in getattr(c, title)]
        if title == "exceptions":
            title = "exceptions (sigmoid SVC, several solutions)"
        if lines:
            print(f"\n{title.capitalize()}\n\n" + "\n".join(lines))
    print("\n" + ("FAILED" if any(c.failures for c in comparisons) else "All bounds hold."))


def print_table(head, rows):
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
