#!/usr/bin/env python3
"""The report's feature engineering in pandas + ipaddress + great_expectations, and the copy that bounds any such work.

  pip install pandas pyarrow scikit-learn great_expectations polars
  features_reference.py FILE.csv OUTDIR            raw Packetbeat-form flows -> validated, encoded, scaled, split Parquet
  features_reference.py --copy FILE.csv OUTDIR     polars scan_csv -> sink_parquet, nothing else

Prints one JSON line: seconds per step and in total (imports excluded), rows, peak memory.
"""
import argparse, hashlib, ipaddress, json, logging, os, resource, time, warnings

parser = argparse.ArgumentParser()
parser.add_argument("file")
parser.add_argument("out")
parser.add_argument("--copy", action="store_true")
args = parser.parse_args()
os.makedirs(args.out, exist_ok=True)
steps, rows = {}, 0


def lap(name, since):
    steps[name] = round(time.perf_counter() - since, 4)
    return time.perf_counter()


if args.copy:
    import polars as pl
    begin = time.perf_counter()
    pl.scan_csv(args.file, infer_schema_length=10_000).sink_parquet(os.path.join(args.out, "copy.parquet"))
    total = time.perf_counter() - begin
    rows = pl.scan_parquet(os.path.join(args.out, "copy.parquet")).select(pl.len()).collect().item()
else:
    import great_expectations as gx
    import numpy as np
    import pandas as pd
    from sklearn.preprocessing import LabelEncoder, MinMaxScaler
    warnings.filterwarnings("ignore")
    logging.disable(50)

    def number(address):
        parsed = ipaddress.ip_address(address)
        if parsed.version == 4:
            return int(parsed)
        return int.from_bytes(hashlib.sha256(address.encode()).digest()[:8], "big")

    begin = since = time.perf_counter()
    flows = pd.read_csv(args.file)
    since = lap("read", since)
    flows.columns = flows.columns.str.lstrip("_")
    flows = flows.drop(columns=["source_attack", "attack"], errors="ignore")  # the report's files have no such column
    flows = flows.rename(columns={"source_@timestamp": "source_timestamp"})
    flows = flows.dropna(subset=["source_network_transport"])
    flows = flows[flows["source_network_transport"].isin(["tcp", "udp"])]
    flows = flows.drop_duplicates(subset="source_flow_id", keep="last")
    flows["source_network_transport"] = flows["source_network_transport"].map({"tcp": 1, "udp": 2})
    for column in ("source_source_ip", "source_destination_ip"):
        flows[column] = flows[column].apply(number)
    flows["source_flow_final"] = flows["source_flow_final"].map({False: 0, True: 1})
    flows["source_flow_id"] = LabelEncoder().fit_transform(flows["source_flow_id"])
    flows["source_timestamp"] = pd.to_datetime(flows["source_timestamp"], format="ISO8601").astype("int64") // 10**6
    since = lap("encode", since)

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    suite = gx.ExpectationSuite(name="flows")
    expect = gx.expectations
    features = [c for c in flows.columns if c != "label"]
    for column in features + ["label"]:
        suite.add_expectation(expect.ExpectColumnValuesToNotBeNull(column=column))
    for column in ("source_source_port", "source_destination_port"):
        suite.add_expectation(expect.ExpectColumnValuesToBeBetween(column=column, min_value=0, max_value=65535))
    for column in ("source_network_bytes", "source_event_duration"):
        suite.add_expectation(expect.ExpectColumnValuesToBeBetween(column=column, min_value=0))
    suite.add_expectation(expect.ExpectColumnMinToBeBetween(column="source_flow_final", min_value=0))
    suite.add_expectation(expect.ExpectColumnValuesToBeInSet(column="source_network_transport", value_set=[1, 2]))
    suite.add_expectation(expect.ExpectColumnValuesToBeInSet(column="label", value_set=["benign", "malicious"]))
    batch = (context.data_sources.add_pandas("flows").add_dataframe_asset("flows")
             .add_batch_definition_whole_dataframe("all"))
    suite = context.suites.add(suite)
    check = context.validation_definitions.add(gx.ValidationDefinition(name="flows", data=batch, suite=suite))
    result = check.run(batch_parameters={"dataframe": flows})
    steps["expectations"], steps["success"] = len(suite.expectations), bool(result.success)
    since = lap("validate", since)

    flows[features].describe().to_json(os.path.join(args.out, "statistics.json"))
    since = lap("statistics", since)
    order = np.random.default_rng(42).permutation(len(flows))
    a, b = int(0.7 * len(flows)), int(0.9 * len(flows))
    scaler = MinMaxScaler().fit(flows.iloc[order[:a]][features])
    for name, part in (("train", order[:a]), ("test", order[a:b]), ("validation", order[b:])):
        chosen = flows.iloc[part]
        table = pd.DataFrame(scaler.transform(chosen[features]), columns=features)
        table["label"] = chosen["label"].to_numpy()
        table.to_parquet(os.path.join(args.out, name + ".parquet"))
    lap("split_scale_write", since)
    total, rows = time.perf_counter() - begin, len(flows)

print(json.dumps({"way": "copy" if args.copy else "pandas", "rows": rows, "total_s": round(total, 3), **steps,
                  "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
