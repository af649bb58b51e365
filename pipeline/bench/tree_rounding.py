#!/usr/bin/env python3
"""How far the scores of scikit-learn's decision tree move under other seeds, and without its rounding to f32.

  tree_rounding.py --splits RUN_DIR/features [--search search.json] [--seeds 10] [--jobs 2]

scikit-learn rounds features to f32 and breaks ties among splits by its seed. Grows each candidate of the report's grid
under several seeds, once on the values and once on their ranks among the values of train, which f32 holds exactly.
Prints per candidate a JSON line with the mean accuracies over the folds, and Weir's where --search names the
search.json of a training.

  pip install scikit-learn pandas pyarrow
"""

import argparse
import platform

import numpy as np
import sklearn
from joblib import Parallel, delayed
from sklearn.model_selection import ParameterGrid, cross_val_score
from sklearn.tree import DecisionTreeClassifier

import search_runs
import sklearn_reference


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--splits", required=True, metavar="DIR", help="features directory of a run")
    parser.add_argument("--seeds", type=int, default=10, help="how many besides 42")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--search", metavar="FILE", help="search.json of Weir's tree on the same splits")
    parser.add_argument("--record", metavar="FILE", help="file to append the lines to")
    args = parser.parse_args()

    train = f"{args.splits}/train.parquet"
    names, values, y = sklearn_reference.load(train)
    ranks = np.column_stack([np.unique(column, return_inverse=True)[1] for column in values.T]).astype(float)
    record = search_runs.Record()
    versions = {"python": platform.python_version(), "scikit_learn": sklearn.__version__}
    distinct = dict(zip(names, zip(count_distinct(values), count_distinct(values.astype(np.float32)))))
    origin = {"train_sha256": sklearn_reference.sha256(train), "distinct_in_f64_and_f32": distinct}
    record.say(search_runs.head() | versions | origin)

    _, grid = sklearn_reference.MODELS["decision-tree"]
    seeds = [42, *range(args.seeds)]
    for parameters in ParameterGrid(grid):
        tasks = [delayed(score)(parameters, x, y, seed) for x in (values, ranks) for seed in seeds]
        scores = np.reshape(Parallel(n_jobs=args.jobs)(tasks), (2, len(seeds)))
        line = {"parameters": parameters}
        for name, means in zip(("values", "ranks"), scores):
            line[name] = {"seed_42": means[0], "lowest": means.min(), "highest": means.max()}
        if args.search:
            line["weir"] = search_runs.mean_of(args.search, parameters)
        record.say(line)
    if args.record:
        record.append_to(args.record)


def count_distinct(x):
    return [len(np.unique(column)) for column in x.T]


def score(parameters, x, y, seed):
    """Mean accuracy over the folds."""
    tree = DecisionTreeClassifier(random_state=seed, **parameters)
    return cross_val_score(tree, x, y, cv=sklearn_reference.FOLDS).mean()


if __name__ == "__main__":
    main()
