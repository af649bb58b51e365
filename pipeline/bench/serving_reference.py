#!/usr/bin/env python3
"""Predictors that Weir's is measured against: the same model, fitted by scikit-learn and served from Python.

  serving_reference.py rows --splits RUN/features --rows 1000          rows of test, as JSON
  serving_reference.py fit --splits RUN/features --bundle BUNDLE --out FILE
  MODEL=FILE python -m uvicorn --app-dir pipeline/bench serving_reference:app --loop uvloop --http httptools

`fit` takes family and parameters from the bundle and the rows from train, and keeps the model with joblib. MLServer
serves the same file by itself.

  pip install fastapi uvicorn uvloop httptools scikit-learn pandas pyarrow
"""

import argparse
import json
import os
import sys

UNSCALED = {"decision-tree"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    rows = commands.add_parser("rows", help="print feature names and rows of test")
    rows.add_argument("--rows", type=int, default=1000)
    fit = commands.add_parser("fit", help="fit the model of a bundle on train")
    fit.add_argument("--bundle", required=True)
    fit.add_argument("--out", required=True)
    for command in (rows, fit):
        command.add_argument("--splits", required=True, metavar="DIR", help="features directory of a run")
    args = parser.parse_args()
    if args.command == "rows":
        names, x, _ = load(os.path.join(args.splits, "test.parquet"))
        json.dump({"names": names, "rows": x[: args.rows].tolist()}, sys.stdout)
    else:
        save_model(args.splits, args.bundle, args.out)


def load(path):
    """Feature names, features [n, d] f64 and labels [n] of 0 and 1."""
    import pandas as pd

    table = pd.read_parquet(path)
    features = table.drop(columns="label").select_dtypes(["number", "bool"])
    return list(features.columns), features.to_numpy(float), table["label"].to_numpy(int)


def save_model(splits, bundle, out):
    """Fits scaler and model with the bundle's parameters, on all of train."""
    import joblib
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler

    with open(os.path.join(bundle, "bundle.json"), encoding="utf-8") as file:
        info = json.load(file)
    if info["representation"] != "baseline":
        sys.exit(f"{bundle} has an autoencoder, which scikit-learn has not; choose a bundle on the baseline")
    estimator = estimators()[info["family"]](**info["parameters"])
    model = estimator if info["family"] in UNSCALED else make_pipeline(MinMaxScaler(), estimator)
    _, x, y = load(os.path.join(splits, "train.parquet"))
    joblib.dump(model.fit(x, y), out)


def estimators():
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    return {
        "logistic-regression": LogisticRegression,
        "knn": KNeighborsClassifier,
        "decision-tree": DecisionTreeClassifier,
        "svc": SVC,
    }


def application(path):
    """A FastAPI predictor as one would write it. Predicting in the event loop spares it the hop to a thread."""
    import joblib
    import numpy as np
    from fastapi import FastAPI
    from pydantic import BaseModel

    model = joblib.load(path)
    app = FastAPI()

    class Request(BaseModel):
        instances: list[list[float]]

    class Response(BaseModel):
        predictions: list[int]

    @app.get("/v2/health/ready")
    async def ready():
        return {"ready": True}

    @app.post("/v1/models/model:predict")
    async def predict(request: Request) -> Response:
        return Response(predictions=model.predict(np.array(request.instances)).tolist())

    return app


if __name__ == "__main__":
    main()
elif "MODEL" in os.environ:
    app = application(os.environ["MODEL"])
