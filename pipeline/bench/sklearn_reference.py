#!/usr/bin/env python3
"""The report's training protocol in scikit-learn, on the splits of a Weir run: the reference to compare with.

Reads train.parquet and test.parquet of a features directory. Numeric and boolean columns are the features, `label`
(1 = malicious) is the target, every other column (flow_id, event_time) is left out. Logistic regression, KNN and SVC
see the features scaled to [0, 1] with the minimum and maximum of the whole train split, taken before the folds; trees
see them unscaled. Per model: one fit with default parameters, and one GridSearchCV(cv=3: StratifiedKFold, not
shuffled) over the report's grid, refitted on the whole train split; both are scored on the test split.

Prints JSON lines, as they become known:
- first `date`, `command`, versions, machine, and the SHA-256 of the files,
- one line per model (named as Weir names its families): accuracies, best parameters, confusion matrix in Weir's form,
  every candidate in ParameterGrid order with the score of each fold, seconds,
- last the totals, among them the memory of this process and of joblib's workers.

What is timed starts with loaded matrices and with workers that have imported what they need. To measure
scikit-learn-intelex run it as `python -m sklearnex pipeline/bench/sklearn_reference.py ...`.

  pip install scikit-learn pandas pyarrow
  pipeline/bench/sklearn_reference.py --splits RUN_DIR/features [--models knn,decision-tree] [--jobs 2]

The whole grid takes minutes, nearly all of them for SVC. record_sklearn.sh keeps the output.
"""

import argparse
import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import resource
import shlex
import sys
import time

import pandas as pd
import sklearn
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

FOLDS = 3
UNSCALED = {"decision-tree"}
MODELS = {
    "logistic-regression": (
        LogisticRegression(random_state=42, max_iter=1000),
        {"C": [0.1, 1, 10], "solver": ["newton-cg", "lbfgs", "liblinear"]},
    ),
    "knn": (
        KNeighborsClassifier(),
        {"n_neighbors": [3, 5, 11], "weights": ["uniform", "distance"], "metric": ["euclidean", "manhattan"]},
    ),
    "decision-tree": (
        DecisionTreeClassifier(random_state=42),
        {"max_depth": [3, 5, 10, 20], "min_samples_leaf": [1, 2, 4], "criterion": ["gini", "entropy"]},
    ),
    # Last, because it takes nearly all of the time.
    "svc": (
        SVC(random_state=42),
        {"C": [0.1, 1, 10], "gamma": [1, 0.1, 0.01], "kernel": ["rbf", "poly", "sigmoid"]},
    ),
}


def main():
    args = parse_arguments()
    paths = {name: os.path.join(args.splits, f"{name}.parquet") for name in ("train", args.score_on)}
    origin = {"scikit_learn": sklearn.__version__} | {f"{name}_sha256": sha256(path) for name, path in paths.items()}
    emit(
        {
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "command": shlex.join(["pipeline/bench/" + os.path.basename(sys.argv[0]), *sys.argv[1:]]),
            "python": platform.python_version(),
            "machine": machine(),
        }
        | intelex()
        | origin
    )

    names, x_train, y_train = load(paths["train"])
    scored_names, x_scored, y_scored = load(paths[args.score_on])
    if names != scored_names:
        sys.exit(f"train and {args.score_on} differ in columns: {names} and {scored_names}; make the features again")
    start = time.perf_counter()
    Parallel(n_jobs=args.jobs)(delayed(import_models)() for _ in range(args.jobs))
    workers_start_s = time.perf_counter() - start

    total, workers_peak_mb = 0.0, 0
    for model in args.models:
        result = measure(model, x_train, y_train, x_scored, y_scored, args.jobs, args.grid)
        total += result["scale_s"] + result["default_s"] + result["grid_s"]
        workers_peak_mb = max(workers_peak_mb, children_peak_mb())
        sizes = {"train_rows": len(y_train), f"{args.score_on}_rows": len(y_scored), "features": names}
        emit({"model": model} | origin | sizes | result)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    memory = {"peak_rss_mb": peak_mb, "workers_peak_rss_mb": workers_peak_mb}
    emit({"total_s": round(total, 3), "workers_start_s": round(workers_start_s, 3), "jobs": args.jobs} | memory)


def parse_arguments():
    parser = argparse.ArgumentParser(description="The report's training protocol in scikit-learn.")
    parser.add_argument("--splits", required=True, metavar="DIR", help="features directory of a run")
    parser.add_argument("--score-on", default="test", choices=["test", "validation"])
    parser.add_argument("--models", default=",".join(MODELS), help="comma-separated (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="processes of GridSearchCV (default: %(default)s)")
    parser.add_argument("--grid", type=json.loads, metavar="JSON", help="other lists of parameters, for a single model")
    args = parser.parse_args()
    args.models = args.models.split(",")
    for model in args.models:
        if model not in MODELS:
            parser.error(f"unknown model {model!r}; known are {', '.join(MODELS)}")
    if args.grid and len(args.models) != 1:
        parser.error("--grid is for a single model; name it with --models")
    return args


def load(path):
    """Feature names, features [n, d] f64 and labels [n] of 0 and 1."""
    table = pd.read_parquet(path)
    features = table.drop(columns="label").select_dtypes(["number", "bool"])
    return list(features.columns), features.to_numpy(float), table["label"].to_numpy(int)


def measure(name, x_train, y_train, x_scored, y_scored, jobs, other_grid):
    estimator, grid = MODELS[name]
    grid = other_grid or grid

    start = time.perf_counter()
    if name not in UNSCALED:
        scaler = MinMaxScaler().fit(x_train)
        x_train, x_scored = scaler.transform(x_train), scaler.transform(x_scored)
    scale_s = time.perf_counter() - start

    start = time.perf_counter()
    estimator.fit(x_train, y_train)
    default = estimator.predict(x_scored)
    default_s = time.perf_counter() - start

    start = time.perf_counter()
    search = GridSearchCV(estimator, grid, cv=FOLDS, n_jobs=jobs, error_score="raise").fit(x_train, y_train)
    best = search.predict(x_scored)
    grid_s = time.perf_counter() - start

    table = search.cv_results_
    folds = [table[f"split{fold}_test_score"] for fold in range(FOLDS)]
    candidates = [
        {
            "parameters": parameters,
            "scores": [float(fold[index]) for fold in folds],
            "mean": float(table["mean_test_score"][index]),
            "fit_s": round(float(table["mean_fit_time"][index]), 3),
        }
        for index, parameters in enumerate(table["params"])
    ]
    return {
        "default_accuracy": float(accuracy_score(y_scored, default)),
        "default_confusion": counts(y_scored, default),
        "best_accuracy": float(accuracy_score(y_scored, best)),
        "best_confusion": counts(y_scored, best),
        "best_parameters": search.best_params_,
        "candidates": candidates,
        "scale_s": round(scale_s, 4),
        "default_s": round(default_s, 3),
        "grid_s": round(grid_s, 3),
    }


def counts(actual, predicted):
    names = ["true_negatives", "false_positives", "false_negatives", "true_positives"]
    return dict(zip(names, confusion_matrix(actual, predicted, labels=[0, 1]).ravel().tolist()))


def import_models():
    """What each worker does before anything is timed: taking in the models that this names imports scikit-learn."""
    time.sleep(1)  # so that no worker takes the share of one that is still starting
    return len(MODELS)


def children_peak_mb():
    """Peak resident memory of the processes started by this one, joblib's workers, summed; 0 where unknown.

    What several processes share, such as libraries and mapped matrices, counts for each.
    """
    kilobytes = 0
    try:
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children", encoding="utf-8") as file:
                children = file.read().split()
            for child in children:
                with open(f"/proc/{child}/status", encoding="utf-8") as file:
                    kilobytes += sum(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    except OSError:
        pass  # not Linux, or a worker has just ended
    return kilobytes // 1024


def intelex():
    """Version of scikit-learn-intelex where it is in use."""
    if "sklearnex" not in sys.modules:
        return {}
    return {"scikit_learn_intelex": importlib.metadata.version("scikit-learn-intelex")}


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def machine():
    processor = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = (line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
            processor = next(names, processor)
    except OSError:
        pass  # not Linux
    return f"{processor}, {os.cpu_count()} CPUs"


def emit(record):
    print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
