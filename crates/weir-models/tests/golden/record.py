#!/usr/bin/env python3
"""Records what scikit-learn gives on small shared data, for the golden tests beside this file.

  pip install scikit-learn
  record.py            writes data.json and one <family>.json per model family into this folder

data.json: x [900][5] (shortest round-trip f64, already in [0, 1]), y [900]; the first 600 rows are train, the rest test;
folds: the held-out rows of StratifiedKFold(3) over train.
<family>.json: every candidate of the report's grid with its accuracy on each fold, and for the named fits on train:
predictions and scores (decision value or probability of class 1) on test.
kmeans.json: its own points, and KMeans over them for 1 to 4 clusters: inertia, mean distance to the nearest centre,
groups.
"""
import json
import os

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ParameterGrid, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

HERE = os.path.dirname(os.path.abspath(__file__))
TRAIN, ROWS, FEATURES = 600, 900, 5


def data():
    """Two overlapping classes with a port-like discrete column, a heavy tail and repeated rows."""
    rng = np.random.default_rng(7)
    y = (rng.random(ROWS) < 0.4).astype(int)
    port = rng.choice([0.0, 0.125, 0.25, 0.75], ROWS, p=[0.4, 0.3, 0.2, 0.1]) + 0.125 * y * (rng.random(ROWS) < 0.5)
    size = np.log1p(rng.pareto(0.8, ROWS) * (1 + 6 * y))
    rate = rng.normal(y * 1.6, 1.0, ROWS)
    mixed = np.sin(3 * rate) + rng.normal(0, 0.3, ROWS) + 1.2 * y * (port > 0.2)
    flat = rng.random(ROWS)
    x = np.column_stack([port, size, rate, mixed, flat])
    x = (x - x.min(axis=0)) / (x.max(axis=0) - x.min(axis=0))
    # f32-exact values: scikit-learn's trees see what ours see.
    x = x.astype(np.float32).astype(float)
    repeated = rng.integers(0, ROWS, 60)
    x[repeated] = x[(repeated + 17) % ROWS]
    return x, y


GRIDS = {
    "logistic-regression": (LogisticRegression(tol=1e-10, max_iter=10_000, random_state=42),
                            {"C": [0.1, 1, 10], "solver": ["newton-cg", "lbfgs", "liblinear"]}),
    "knn": (KNeighborsClassifier(algorithm="brute"),
            {"metric": ["euclidean", "manhattan"], "n_neighbors": [3, 5, 11], "weights": ["uniform", "distance"]}),
    "decision-tree": (DecisionTreeClassifier(random_state=42),
                      {"criterion": ["gini", "entropy"], "max_depth": [3, 5, 10, 20], "min_samples_leaf": [1, 2, 4]}),
    "svc": (SVC(), {"C": [0.1, 1, 10], "gamma": [1, 0.1, 0.01], "kernel": ["rbf", "poly", "sigmoid"]}),
}
# Fits whose predictions on test are kept: the defaults and a few others.
FITS = {
    "logistic-regression": [{}, {"C": 10, "solver": "liblinear"}],
    "knn": [{}, {"metric": "manhattan", "n_neighbors": 3, "weights": "distance"}],
    "decision-tree": [{"max_depth": 3}, {"criterion": "entropy", "max_depth": 5, "min_samples_leaf": 4}],
    "svc": [{}, {"kernel": "poly"}, {"kernel": "sigmoid", "gamma": 0.1}, {"kernel": "rbf", "C": 10, "gamma": 1}],
}


def main():
    x, y = data()
    folds = [test.tolist() for _, test in StratifiedKFold(3).split(x[:TRAIN], y[:TRAIN])]
    write("data.json", {"x": x.tolist(), "y": y.tolist(), "train": TRAIN, "folds": folds})
    for family, (model, grid) in GRIDS.items():
        search = GridSearchCV(model, grid, cv=3).fit(x[:TRAIN], y[:TRAIN])
        scores = np.column_stack([search.cv_results_[f"split{k}_test_score"] for k in range(3)])
        candidates = [{"parameters": p, "scores": s.tolist()} for p, s in zip(ParameterGrid(grid), scores)]
        assert [c["parameters"] for c in candidates] == search.cv_results_["params"]
        fits = []
        for parameters in FITS[family]:
            fitted = sklearn.clone(model).set_params(**parameters).fit(x[:TRAIN], y[:TRAIN])
            score = fitted.decision_function if family == "svc" else lambda rows: fitted.predict_proba(rows)[:, 1]
            fits.append({"parameters": parameters, "predicted": fitted.predict(x[TRAIN:]).tolist(),
                         "scores": score(x[TRAIN:]).tolist()})
        write(f"{family}.json", {"scikit_learn": sklearn.__version__, "candidates": candidates,
                                 "best": search.best_params_, "fits": fits})
    centres = np.repeat([[0, 0, 0], [9, 1, 2], [2, 8, 0], [7, 9, 12]], [80, 40, 30, 10], axis=0)
    points = np.random.default_rng(11).normal(centres, 1.5)
    write("kmeans.json", {"scikit_learn": sklearn.__version__, "points": points.tolist(),
                          "fits": [kmeans(points, k) for k in range(1, 5)]})


def kmeans(x, clusters):
    """The best of so many runs that all optima are among them, each run to its end."""
    fitted = KMeans(clusters, n_init=100, tol=1e-12, max_iter=1000, random_state=42).fit(x)
    return {"clusters": clusters, "inertia": fitted.inertia_, "distortion": fitted.transform(x).min(axis=1).mean(),
            "labels": fitted.labels_.tolist()}


def write(name, value):
    with open(os.path.join(HERE, name), "w") as out:
        json.dump(value, out, separators=(",", ":"))
        out.write("\n")


main()
