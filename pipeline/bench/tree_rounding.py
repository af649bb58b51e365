#!/usr/bin/env python3
"""How far the scores of scikit-learn's decision tree move under other seeds, and without its rounding to f32.

  tree_rounding.py --splits RUN_DIR/features [--search search.json] [--seeds 10] [--jobs 2]

scikit-learn rounds features to f32 and breaks ties among splits by its seed. Grows each candidate of the report's grid
under several seeds: once as scikit-learn does, and once unrounded, which is on the ranks of the values, that f32 holds
exactly, with the thresholds then put in the middle of the values. Prints per candidate a JSON line with the mean
accuracies over the folds, and Weir's where --search names the search.json of a training.

  pip install scikit-learn pandas pyarrow
"""

import argparse
import platform

import numpy as np
import sklearn
from joblib import Parallel, delayed
from sklearn.model_selection import ParameterGrid, StratifiedKFold, cross_val_score
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
    folds = list(StratifiedKFold(sklearn_reference.FOLDS).split(values, y))
    ranks = np.column_stack([np.unique(column, return_inverse=True)[1] for column in values.T]).astype(float)
    record = search_runs.Record()
    versions = {"python": platform.python_version(), "scikit_learn": sklearn.__version__}
    distinct = dict(zip(names, zip(count_distinct(values), count_distinct(values.astype(np.float32)))))
    origin = {"train_sha256": sklearn_reference.sha256(train), "distinct_in_f64_and_f32": distinct}
    record.say(search_runs.head() | versions | origin)

    _, grid = sklearn_reference.MODELS["decision-tree"]
    seeds = [42, *range(args.seeds)]
    for parameters in ParameterGrid(grid):
        line = {"parameters": parameters}
        for name, score in (("rounded", score_rounded), ("unrounded", score_unrounded)):
            tasks = [delayed(score)(parameters, seed, values, ranks, y, folds) for seed in seeds]
            means = np.array(Parallel(n_jobs=args.jobs)(tasks))
            line[name] = {"seed_42": means[0], "lowest": means.min(), "highest": means.max()}
        if args.search:
            line["weir"] = search_runs.mean_of(args.search, parameters)
        record.say(line)
    if args.record:
        record.append_to(args.record)


def count_distinct(x):
    return [len(np.unique(column)) for column in x.T]


def score_rounded(parameters, seed, values, _ranks, y, folds):
    """Mean accuracy over the folds."""
    tree = DecisionTreeClassifier(random_state=seed, **parameters)
    return cross_val_score(tree, values, y, cv=folds).mean()


def score_unrounded(parameters, seed, values, ranks, y, folds):
    """Mean accuracy over the folds."""
    scores = []
    for train, held_out in folds:
        fitted = DecisionTreeClassifier(random_state=seed, **parameters).fit(ranks[train], y[train])
        nodes = fitted.tree_
        thresholds = middles(fitted, values[train], ranks[train])
        at = np.zeros(len(held_out), int)
        for _ in range(nodes.max_depth):
            below = values[held_out, nodes.feature[at]] <= thresholds[at]
            down = np.where(below, nodes.children_left[at], nodes.children_right[at])
            at = np.where(nodes.children_left[at] < 0, at, down)
        scores.append(np.mean(nodes.value[at, 0].argmax(axis=1) == y[held_out]))
    return np.mean(scores)


def middles(fitted, values, ranks):
    """Thresholds of a tree grown on ranks: between the values of the rows that came to each node."""
    nodes = fitted.tree_
    came = fitted.decision_path(ranks).tocsc()
    thresholds = np.zeros(nodes.node_count)
    for node in np.flatnonzero(nodes.children_left >= 0):
        rows, feature = came[:, [node]].indices, nodes.feature[node]
        left = ranks[rows, feature] <= nodes.threshold[node]
        thresholds[node] = (values[rows[left], feature].max() + values[rows[~left], feature].min()) / 2
    return thresholds


if __name__ == "__main__":
    main()
