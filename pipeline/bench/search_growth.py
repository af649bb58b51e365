#!/usr/bin/env python3
"""How seconds and memory of each family's search grow with the rows of train.

  search_growth.py --histogram 255 --out pipeline/bench/results/<date>-search-growth

Simulates flows once and trains each family on the head of the file, at growing sizes: the report's grids for logistic
regression, KNN and tree, one rbf candidate for SVC. What takes longer than --timeout is ended, and larger sizes of it
are left out. Writes JSON lines to OUT.jsonl and a plot of them to OUT.svg. Seconds are those of search_cost.py.
"""

import argparse
import itertools
import os
import shutil
import sys
import tempfile

import log_plot
import search_runs
from search_runs import FAMILIES, WEIR, Failed

SIZES = [10_000, 30_000, 100_000, 300_000, 1_000_000]
SVC_GRID = {"C": [1], "gamma": [0.1], "kernel": ["rbf"]}


def main():
    args = parse_arguments()
    folder = tempfile.mkdtemp(dir=args.dir)
    try:
        record = search_runs.Record()
        record.say(search_runs.head() | {"weir": search_runs.version(args.weir), "jobs": args.jobs})
        points = []
        for point in measure(args, folder):
            points.append(point)
            record.say(point)
        record.append_to(args.out + ".jsonl")
        with open(args.out + ".svg", "w", encoding="utf-8") as file:
            file.write(plot(points))
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    finally:
        shutil.rmtree(folder)
    return 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, metavar="PATH", help="where the files go, without their extensions")
    parser.add_argument("--families", default=",".join(FAMILIES), help="comma-separated (default: %(default)s)")
    sizes = ",".join(map(str, SIZES))
    parser.add_argument("--sizes", default=sizes, help="rows of train, about (default: %(default)s)")
    parser.add_argument("--svc-rows", type=int, default=200_000, help="no SVC beyond these (default: %(default)s)")
    parser.add_argument("--histogram", type=int, metavar="BINS", help="the tree with max_bins, beside the exact one")
    parser.add_argument("--feature-set", default="default")
    parser.add_argument("--timeout", type=float, default=900, help="seconds of one training (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="threads (default: %(default)s)")
    parser.add_argument("--memory", type=int, metavar="MIB", help="memory for caches")
    parser.add_argument("--weir", default=WEIR, help="the binary (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of the simulated flows")
    parser.add_argument("--dir", help="where the flows go (default: a temporary directory)")
    args = parser.parse_args()
    args.families = args.families.split(",")
    for family in args.families:
        if family not in FAMILIES:
            parser.error(f"unknown family {family!r}; known are {', '.join(FAMILIES)}")
    args.sizes = sorted(map(int, args.sizes.split(",")))
    return args


def measure(args, folder):
    """Yields a point per size and curve, as soon as it is known."""
    flows = os.path.join(folder, "flows.csv")
    search_runs.simulate(args.weir, args.sizes[-1], args.seed, flows)
    given_up = {}
    for size in args.sizes:
        part, features = os.path.join(folder, "part.csv"), os.path.join(folder, f"features-{size}")
        copy_head(flows, part, 1 + round(size * search_runs.RECORDS_PER_TRAIN_ROW))
        search_runs.make_features(args.weir, part, args.feature_set, features)
        rows = search_runs.rows_of(features)
        for name, family, grid in curves(args.families, args.histogram):
            point = {"curve": name, "train_rows": rows["train"], "test_rows": rows["test"]}
            if family == "svc" and size > args.svc_rows:
                point["left_out"] = f"SVC beyond {args.svc_rows} rows"
            elif name in given_up:
                point["left_out"] = f"failed at {given_up[name]} rows already"
            else:
                out = os.path.join(folder, name)
                try:
                    train = search_runs.train
                    point |= train(args.weir, features, family, out, args.jobs, args.memory, grid, args.timeout)
                except Failed as error:
                    given_up[name] = rows["train"]
                    point["failed"] = str(error)
                shutil.rmtree(out, ignore_errors=True)
            yield point
        shutil.rmtree(features)


def copy_head(source, target, lines):
    """The first lines of a file; all where it has fewer."""
    with open(source, "rb") as file, open(target, "wb") as out:
        out.writelines(itertools.islice(file, lines))


def curves(families, bins):
    """Name, family and grid of what is measured; no grid stands for the report's."""
    for family in families:
        yield family, family, SVC_GRID if family == "svc" else None
        if family == "decision-tree" and bins:
            yield f"{family}-{bins}-bins", family, {"max_bins": [bins]}


def plot(points):
    panels, titles = [], {"seconds": "Seconds, from loaded matrices to scored results", "peak_mb": "Peak memory, MiB"}
    for field, title in titles.items():
        measured = {}
        for point in points:
            if point.get(field, 0) > 0:
                measured.setdefault(point["curve"], []).append((point["train_rows"], point[field]))
        panels.append(log_plot.Panel(title, "rows of train", measured))
    return log_plot.svg(panels)


if __name__ == "__main__":
    sys.exit(main())
