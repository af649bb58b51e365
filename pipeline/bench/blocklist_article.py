#!/usr/bin/env python3
"""The original recipe for a blocklist from an access log, in pandas and scikit-learn: K-Means, k=2, seed 42, over counts.

  pip install pandas scikit-learn
  blocklist_article.py ACCESS_LOG [--fast]      prints a JSON line: the addresses it blocks, lines, groups, seconds

Akshaya Balaji, "Applications of Machine Learning in Computer Network Security" (2020): a column per field by
`apply(lambda x: pd.Series(str(x).split(" ")))`, requests per (address, method, status), standardised, cluster number 1 is
taken for the attacker, and an address is left out when its text is found in what is in the file already. Two things had
to be settled: lines are read whole (the original cuts them at the first comma and cannot read two), and K-Means starts ten
times, which was scikit-learn's default then. Plots are left out; the clusterings for the elbow curve are not.

--fast splits the lines in plain Python, with the same result.
"""
import argparse
import csv
import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler


def read_as_written(path):
    """Address, method and status of each line, as the original takes them apart."""
    d1 = pd.read_csv(path, header=None, names=["C1", "C2"], sep="\x1f", quoting=csv.QUOTE_NONE, encoding_errors="replace")
    d1["IP_Address"] = d1.C1.apply(lambda x: pd.Series(str(x).split(" ")))[0]
    d1["Time"] = d1.C1.apply(lambda x: pd.Series(str(x).split(" ")))[3]
    d1["Time"] = d1.Time.apply(lambda x: pd.Series(str(x).split("[")))[1]
    d1["Method"] = d1.C1.apply(lambda x: pd.Series(str(x).split(" ")))[5]
    d1["Method"] = d1.Method.apply(lambda x: pd.Series(str(x).split('"')))[1]
    d1["Resource"] = d1.C1.apply(lambda x: pd.Series(str(x).split(" ")))[6]
    d1["Protocol"] = d1.C1.apply(lambda x: pd.Series(str(x).split(" ")))[7]
    d1["Protocol"] = d1.Protocol.apply(lambda x: pd.Series(str(x).split('"')))[0]
    d1["Status"] = d1.C1.apply(lambda x: pd.Series(str(x).split(" ")))[8]
    return d1.drop(labels=["C1", "C2", "Time", "Resource", "Protocol"], axis=1)


def read_fast(path):
    """The same, in plain Python. What a line does not have is missing, and no group is made of it."""
    rows = []
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        for line in file:
            if line.strip("\r\n"):
                parts = line.rstrip("\r\n").split(" ")
                method = parts[5].split('"') if len(parts) > 5 else []
                rows.append((parts[0], method[1] if len(method) > 1 else None, parts[8] if len(parts) > 8 else None))
    return pd.DataFrame(rows, columns=["IP_Address", "Method", "Status"])


def group(dataset):
    """Requests per address, method and status."""
    dataset = dataset.drop(dataset[dataset["Method"] == "-"].index)
    return dataset.groupby(["IP_Address", "Method", "Status"]).size().reset_index(name="access_counts")


def cluster(grouped):
    """The number of the cluster of each group, 0 or 1."""
    train_data = StandardScaler().fit_transform(grouped[["access_counts"]])
    distortions = []
    for k in range(1, 5):
        model = KMeans(n_clusters=k, n_init=10).fit(train_data)
        model.fit(train_data)
        distances = np.min(cdist(train_data, model.cluster_centers_, "euclidean"), axis=1)
        distortions.append(sum(distances) / train_data.shape[0])
    return KMeans(n_clusters=2, n_init=10, random_state=42).fit_predict(train_data)


def append(addresses):
    """What is in the file afterwards, which was empty before."""
    file = ""
    for address in addresses:
        if address not in file:
            file += address + "\n"
    return file.splitlines()


def blocked(grouped):
    """The addresses that the recipe blocks.

    Raises ValueError where there are fewer groups than clusters, as scikit-learn does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer distinct counts than clusters
        clusters = cluster(grouped)
    return append(grouped["IP_Address"][clusters == 1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log")
    parser.add_argument("--fast", action="store_true", help="split the lines in plain Python")
    args = parser.parse_args()
    begin = time.perf_counter()
    dataset = (read_fast if args.fast else read_as_written)(args.log)
    read = time.perf_counter()
    grouped = group(dataset)
    try:
        addresses = blocked(grouped)
    except ValueError as error:
        sys.exit(f"error: the recipe ends here: {error}")
    end = time.perf_counter()
    print(json.dumps({
        "blocked": addresses, "lines": len(dataset), "groups": len(grouped),
        "read_seconds": round(read - begin, 3), "seconds": round(end - begin, 3),
    }))


if __name__ == "__main__":
    main()
