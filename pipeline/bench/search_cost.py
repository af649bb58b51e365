#!/usr/bin/env python3
"""What the grid search costs in Weir and in scikit-learn, and whether both find the same scores.

  search_cost.py --data preprocessed.csv --python venv/bin/python [--rounds 3] [--record FILE]
  search_cost.py --rows 5000 --svc-grid small --patch --python venv-intelex/bin/python

Per round and family runs `weir train` (baseline representation, nothing reused), then `sklearn_reference.py` on the
same splits, with the same number of threads. Seconds are those inside the process from loaded matrices to scored
results: scaling, default fit, search, fit of the best and scoring on test; starting processes (joblib's workers, too)
and reading files are left out on both sides. Prints JSON lines, then tables. README.md has the fields.

Exit code: 0 the scores agree; 1 they do not; 2 usage; 3 a run failed.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import sys
import tempfile

import search_runs
from search_runs import FAMILIES, WEIR, Failed

HERE = os.path.dirname(os.path.abspath(__file__))
# Of a candidate's mean accuracy over the folds.
BOUNDS = {"svc": 0.0005, "svc sigmoid": 0.001, "logistic-regression": 0.001, "knn": 0.0005, "decision-tree": 0.001}
TIE = 0.0005
# 0.9205 - 0.9200 is a little more than 0.0005 in f64.
ROUNDING = 1e-12
SVC_GRIDS = {
    "report": None,
    "small": {"C": [0.1, 1, 10], "gamma": [0.1], "kernel": ["rbf"]},
    "one": {"C": [1], "gamma": [0.1], "kernel": ["rbf"]},
}


def main():
    args = parse_arguments()
    search_runs.bind_to(args.jobs)
    folder = tempfile.mkdtemp(dir=args.dir)
    try:
        return measure(args, folder)
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    finally:
        shutil.rmtree(folder)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--splits", metavar="DIR", help="features artifact")
    source.add_argument("--data", metavar="FILE", help="flow file to make features of")
    source.add_argument("--rows", type=int, help="simulate flows for about this many rows of train")
    parser.add_argument("--feature-set", default="report")
    parser.add_argument("--families", default=",".join(FAMILIES), help="comma-separated (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="threads of Weir, processes of GridSearchCV, CPUs of both")
    parser.add_argument("--memory", type=int, metavar="MIB", help="memory for caches of Weir")
    parser.add_argument("--svc-grid", default="report", choices=SVC_GRIDS, help="candidates of SVC on both sides")
    parser.add_argument("--patch", action="store_true", help="put scikit-learn-intelex under scikit-learn")
    parser.add_argument("--weir", default=WEIR, help="the binary (default: %(default)s)")
    parser.add_argument("--python", default=sys.executable, help="interpreter with scikit-learn, pandas and pyarrow")
    parser.add_argument("--seed", type=int, default=7, help="of the simulated flows")
    parser.add_argument("--dir", help="where the files go (default: a temporary directory)")
    parser.add_argument("--record", metavar="FILE", help="file to append the lines to")
    args = parser.parse_args()
    args.families = args.families.split(",")
    for family in args.families:
        if family not in FAMILIES:
            parser.error(f"unknown family {family!r}; known are {', '.join(FAMILIES)}")
    return args


def measure(args, folder):
    splits = args.splits or os.path.join(folder, "features")
    if args.rows:
        args.data = os.path.join(folder, "flows.csv")
        search_runs.simulate(args.weir, args.rows, args.seed, args.data)
    if args.data:
        search_runs.make_features(args.weir, args.data, args.feature_set, splits)

    record = search_runs.Record()
    rows = search_runs.rows_of(splits)
    sizes = {"train_rows": rows["train"], "test_rows": rows["test"]}
    record.say(search_runs.head() | {"weir": search_runs.version(args.weir)} | sizes)
    runs, agreements = [], {}
    for number in range(args.rounds):
        for family in args.families:
            ours, search = weir(args, splits, family, os.path.join(folder, f"{family}-{number}"))
            theirs, reference = scikit_learn(args, splits, family)
            for result in (ours, theirs):
                runs.append({"round": number, "family": family, **result})
                record.say(runs[-1])
            if family not in agreements:
                agreements[family] = agree(family, search, reference)
                record.say(agreements[family])
    record.say(summarise(runs))
    if args.record:
        record.append_to(args.record)
    print_tables(summarise(runs), agreements.values())
    return 1 if any(agreement["failures"] for agreement in agreements.values()) else 0


def weir(args, splits, family, out):
    """One training by Weir: what it cost, and its search.json."""
    grid = SVC_GRIDS[args.svc_grid] if family == "svc" else None
    result = search_runs.train(args.weir, splits, family, out, args.jobs, args.memory, grid)
    search = search_runs.read(out, "search.json")
    shutil.rmtree(out)
    return {"way": "weir", **result}, search


def scikit_learn(args, splits, family):
    """The same by scikit-learn: what it cost, and its line of the reference script."""
    command = [args.python, *(["-m", "sklearnex"] if args.patch else []), os.path.join(HERE, "sklearn_reference.py")]
    command += ["--splits", splits, "--models", family, "--jobs", str(args.jobs), "--score-on", "test"]
    if family == "svc" and SVC_GRIDS[args.svc_grid]:
        command += ["--grid", json.dumps(SVC_GRIDS[args.svc_grid])]
    done = search_runs.run(command)
    origin, reference, totals = map(json.loads, done.output.splitlines())
    parts = {name: reference[f"{name}_s"] for name in ("scale", "default", "grid")}
    versions = {name: origin[name] for name in ("python", "scikit_learn", "scikit_learn_intelex") if name in origin}
    result = {
        "way": "scikit-learn-intelex" if args.patch else "scikit-learn",
        "seconds": round(sum(parts.values()), 4),
        "process_cpu_seconds": round(done.cpu_seconds, 3),
        "peak_mb": totals["peak_rss_mb"] + totals["workers_peak_rss_mb"],
        "parts": parts | {"workers' start": totals["workers_start_s"]},
    }
    return result | versions, reference


def agree(family, search, reference):
    """Compares every candidate's mean accuracy, and the best: a line of the record.

    A sigmoid SVC has no single solution; its candidates beyond the bound are exceptions, for sigmoid_orders.py to show
    how far scikit-learn itself moves.
    """
    ours, theirs = search["candidates"], reference["candidates"]
    if [candidate["parameters"] for candidate in ours] != [candidate["parameters"] for candidate in theirs]:
        raise Failed(f"the candidates of {family} are not the same on both sides; give both the same grid")
    differences, exceptions, failures, candidates = {}, [], [], []
    for our, their in zip(ours, theirs):
        difference = abs(our["mean"] - their["mean"])
        group = group_of(family, our["parameters"])
        differences.setdefault(group, []).append(difference)
        # Written so that NaN fails.
        if not difference <= BOUNDS.get(group, BOUNDS[family]) + ROUNDING:
            line = f"{text(our['parameters'])}: Weir {our['mean']:.5f}, scikit-learn {their['mean']:.5f}"
            (exceptions if group == "svc sigmoid" else failures).append(line)
        means = {"weir_mean": our["mean"], "scikit_learn_mean": their["mean"]}
        candidates.append({"parameters": our["parameters"], **means})
    chosen = ours[search["best"]]["parameters"]
    best = same_best(search["best"], theirs, reference["best_parameters"])
    if best == "another":
        failures.append(f"best: Weir {text(chosen)}, scikit-learn {text(reference['best_parameters'])}")
    return {
        "family": family,
        "largest_difference": {group: largest(values) for group, values in differences.items()},
        "best": best,
        "weir_best": chosen,
        "scikit_learn_best": reference["best_parameters"],
        "exceptions": exceptions,
        "failures": failures,
        "candidates": candidates,
    }


def group_of(family, parameters):
    """What shares a row of the table: a family, or a kernel of SVC."""
    return f"{family} {parameters['kernel']}" if "kernel" in parameters else family


def largest(differences):
    """The largest; NaN where one is."""
    return max(differences, key=lambda difference: (math.isnan(difference), difference))


def same_best(ours, theirs, best_parameters):
    """`same`, `tied` by scikit-learn's own means, or `another`; `ours` is the index of Weir's best."""
    if theirs[ours]["parameters"] == best_parameters:
        return "same"
    best = max(candidate["mean"] for candidate in theirs)
    return "tied" if best - theirs[ours]["mean"] <= TIE + ROUNDING else "another"


def text(parameters):
    return " ".join(f"{name}={value}" for name, value in sorted(parameters.items()))


def summarise(runs):
    """Medians and ratios per family and of the totals of the rounds: the last line of the record."""
    seconds, memory = {}, {}
    for entry in runs:
        by_round = seconds.setdefault(entry["family"], {}).setdefault(side(entry), {})
        by_round[entry["round"]] = entry["seconds"]
        peaks = memory.setdefault(entry["family"], {})
        peaks[side(entry)] = max(peaks.get(side(entry), 0), entry["peak_mb"])
    total = {}
    for sides in seconds.values():
        for name, by_round in sides.items():
            for number, value in by_round.items():
                total.setdefault(name, {}).setdefault(number, 0.0)
                total[name][number] += value
    families = {family: compared(sides, memory[family]) for family, sides in seconds.items()}
    peaks = {name: max(peak[name] for peak in memory.values()) for name in total}
    return {"families": families, "total": compared(total, peaks)}


def side(entry):
    return "weir" if entry["way"] == "weir" else "scikit_learn"


def compared(sides, peaks):
    medians = {name: statistics.median(by_round.values()) for name, by_round in sides.items()}
    ratio = medians["scikit_learn"] / medians["weir"] if medians["weir"] > 0 else float("nan")
    return {
        "median_seconds": {name: round(value, 4) for name, value in medians.items()},
        "scikit_learn_to_weir": round(ratio, 1),
        "peak_mb": peaks,
    }


def print_tables(summary, agreements):
    rows = [
        [name, *(f"{part['median_seconds'][side]:.3f}" for side in ("weir", "scikit_learn")),
         f"{part['scikit_learn_to_weir']:.1f}", *(str(part["peak_mb"][side]) for side in ("weir", "scikit_learn"))]
        for name, part in [*summary["families"].items(), ("total", summary["total"])]
    ]
    print()
    print_table(["", "Weir s", "scikit-learn s", "ratio", "Weir MB", "scikit-learn MB"], rows)
    rows = [
        [group, f"{difference:.5f}", f"{BOUNDS.get(group, BOUNDS[agreement['family']]):.4f}", agreement["best"]]
        for agreement in agreements
        for group, difference in agreement["largest_difference"].items()
    ]
    print()
    print_table(["candidates", "largest |difference|", "bound", "best of family"], rows)
    for title in ("exceptions", "failures"):
        lines = [f"- {agreement['family']}: {line}" for agreement in agreements for line in agreement[title]]
        if lines:
            print(f"\n{title.capitalize()}\n\n" + "\n".join(lines))


def print_table(head, rows):
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
