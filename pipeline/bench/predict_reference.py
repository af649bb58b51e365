#!/usr/bin/env python3
"""Batch prediction as one would write it with pandas and scikit-learn: a CSV of raw flows in, a CSV of labels out.

  pip install pandas scikit-learn
  predict_reference.py FLOWS.csv OUT.csv      flows in Packetbeat form, the ten features of the report, a decision tree

The tree is fitted on the first 50,000 rows before the clock starts. Prints one JSON line: seconds per step and in total
(imports and fit excluded), rows, peak memory.
"""
import argparse
import hashlib
import ipaddress
import json
import resource
import time

import pandas as pd
from sklearn.tree import DecisionTreeClassifier

TRAIN = 50_000


def number(address):
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return int(parsed)
    return int.from_bytes(hashlib.sha256(parsed.packed).digest()[:4], "big") + 2**32


def features(flows, ids):
    """The features of the report, in its order; `ids` has the ranks of the flow ids known from training."""
    return pd.DataFrame({
        "flow_id": flows["_source_flow_id"].map(ids).fillna(-1),
        "final": flows["_source_flow_final"].map({False: 0, True: 1}),
        "source_ip": flows["_source_source_ip"].map(number),
        "destination_ip": flows["_source_destination_ip"].map(number),
        "bytes": flows["_source_network_bytes"],
        "transport": flows["_source_network_transport"].map({"tcp": 1, "udp": 2}),
        "timestamp": pd.to_datetime(flows["_source_@timestamp"], format="ISO8601").astype("int64") // 10**6,
        "duration": flows["_source_event_duration"],
        "destination_port": flows["_source_destination_port"],
        "source_port": flows["_source_source_port"],
    })


def taken(flows):
    return flows[flows["_source_network_transport"].isin(["tcp", "udp"])]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("flows")
    parser.add_argument("out")
    args = parser.parse_args()

    train = taken(pd.read_csv(args.flows, nrows=TRAIN))
    ids = {flow_id: rank for rank, flow_id in enumerate(sorted(train["_source_flow_id"].unique()))}
    tree = DecisionTreeClassifier(max_depth=10).fit(features(train, ids).to_numpy(), train["label"])

    steps = {}
    begin = since = time.perf_counter()

    def lap(name):
        nonlocal since
        steps[name] = round(time.perf_counter() - since, 3)
        since = time.perf_counter()

    flows = taken(pd.read_csv(args.flows))
    lap("read")
    x = features(flows, ids).to_numpy()
    lap("features")
    labels = tree.predict(x)
    scores = tree.predict_proba(x)[:, 1]
    lap("predict")
    pd.DataFrame({"flow_id": flows["_source_flow_id"], "label": labels, "score": scores}).to_csv(args.out)
    lap("write")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": round(time.perf_counter() - begin, 3), "parts": steps, "rows": len(flows),
                      "peak_mb": peak}))


if __name__ == "__main__":
    main()
