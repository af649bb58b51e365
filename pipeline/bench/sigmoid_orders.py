#!/usr/bin/env python3
"""How far the scores of scikit-learn's sigmoid SVC move when its training rows come in another order.

  sigmoid_orders.py --splits RUN_DIR/features --candidate C=10,gamma=1 [--candidate ...] [--search search.json]

A sigmoid kernel is not positive semi-definite: the problem has several solutions, and which one a solver reaches
depends on the order of the rows. Keeps the three folds of sklearn_reference.py and permutes only the rows trained on,
ten times. Prints per candidate a JSON line with the mean accuracy over the folds in file order and in every other
order, and Weir's where --search names the search.json of a training.

  pip install scikit-learn pandas pyarrow
"""

import argparse
import platform

import numpy as np
import sklearn
from joblib import Parallel, delayed
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

import search_runs
import sklearn_reference


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--splits", required=True, metavar="DIR", help="features directory of a run")
    parser.add_argument("--candidate", required=True, action="append", type=candidate, metavar="C=10,gamma=1")
    parser.add_argument("--orders", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--search", metavar="FILE", help="search.json of Weir's SVC on the same splits")
    parser.add_argument("--record", metavar="FILE", help="file to append the lines to")
    args = parser.parse_args()

    train = f"{args.splits}/train.parquet"
    _, x, y = sklearn_reference.load(train)
    x = MinMaxScaler().fit_transform(x)
    folds = list(StratifiedKFold(sklearn_reference.FOLDS).split(x, y))
    # None is the order of the file.
    orders = [None, *range(args.orders)]
    record = search_runs.Record()
    versions = {"python": platform.python_version(), "scikit_learn": sklearn.__version__}
    record.say(search_runs.head() | versions | {"train_sha256": sklearn_reference.sha256(train)})
    for parameters in args.candidate:
        tasks = [delayed(score)(parameters, x, y, fold, order) for order in orders for fold in folds]
        scores = Parallel(n_jobs=args.jobs)(tasks)
        means = np.reshape(scores, (len(orders), len(folds))).mean(axis=1)
        line = {"parameters": parameters, "file_order": means[0], "other_orders": means[1:].tolist()}
        line |= {"lowest": means.min(), "highest": means.max(), "spread": np.ptp(means)}
        if args.search:
            line["weir"] = search_runs.mean_of(args.search, parameters)
        record.say(line)
    if args.record:
        record.append_to(args.record)


def candidate(words):
    """Parameters of a sigmoid SVC from C=10,gamma=1."""
    numbers = dict(word.split("=", 1) for word in words.split(","))
    if set(numbers) != {"C", "gamma"}:
        raise argparse.ArgumentTypeError(f"needs C and gamma, as in C=10,gamma=1; found {words}")
    return {name: float(number) for name, number in numbers.items()} | {"kernel": "sigmoid"}


def score(parameters, x, y, fold, order):
    """Accuracy on a held-out fold, trained on its other rows in the order of a seed."""
    train, held_out = fold
    if order is not None:
        train = np.random.default_rng(order).permutation(train)
    return SVC(**parameters).fit(x[train], y[train]).score(x[held_out], y[held_out])


if __name__ == "__main__":
    main()
