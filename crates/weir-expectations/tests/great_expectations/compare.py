"""Evaluates the suites of cases with Great Expectations itself and compares its results with Weir's.

    compare.py <directory of cases>

Leaves the suites as Great Expectations writes them beside the cases, for Weir to read again.

A case is a directory of flows.jsonl, suite.json and result.json (see examples/great_expectations_case.rs). Needs
great_expectations 1.24, pandas 3 and pyarrow. Exits 1 where anything differs.

Great Expectations sees three views of the same table, because no single pandas table serves all of its metrics:
- nullable integers, for most (a plain pandas column with nulls holds doubles, which lose u64);
- doubles with NaN, for pairs of columns, for bins and for quantiles of nothing, which raise on pandas' NA;
- event_time as a timestamp, for types and for bounds given as dates.

Known differences, kept out of the cases: sums above 64 bits wrap in pandas; bounds above 2^53 are rounded to doubles by
Great Expectations; both are exact in Weir.
"""

import json
import math
import pathlib
import sys
import warnings

warnings.filterwarnings("ignore")

import great_expectations as gx  # noqa: E402
import pandas as pd  # noqa: E402
from great_expectations.core.expectation_suite import ExpectationSuite  # noqa: E402

TEXTS = ["flow_id", "source_ip", "destination_ip", "transport", "label", "attack"]
PORTS = ["source_port", "destination_port"]
COUNTS = ["bytes", "packets", "duration_ns"]
COLUMNS = [
    "flow_id", "event_time", "source_ip", "destination_ip", "source_port", "destination_port", "transport",
    "bytes", "packets", "duration_ns", "final", "label", "attack",
]
COMPARED = [
    "element_count", "unexpected_count", "unexpected_percent", "missing_count", "missing_percent",
    "unexpected_percent_total", "unexpected_percent_nonmissing", "observed_value", "partial_unexpected_list",
    "partial_missing_list", "details",
]


def view(rows, kind):
    frame = {}
    for name in COLUMNS:
        values = [row.get(name) for row in rows]
        if name in TEXTS:
            frame[name] = pd.array(values, dtype="str")
        elif name == "final":
            frame[name] = pd.array(values, dtype="boolean")
        elif name == "event_time" and kind == "time":
            frame[name] = pd.to_datetime(pd.Series(values, dtype="Int64"), unit="ms").astype("datetime64[ns]")
        elif kind == "double":
            frame[name] = pd.Series([math.nan if value is None else float(value) for value in values], dtype="float64")
        else:
            dtype = "Int64" if name == "event_time" else "UInt16" if name in PORTS else "UInt64"
            frame[name] = pd.array(values, dtype=dtype)
    return pd.DataFrame(frame, columns=COLUMNS)


def kind_of(expectation, present):
    kwargs = expectation["kwargs"]
    if expectation["type"].endswith("_of_type"):
        return "time"
    if kwargs.get("column") == "event_time" and any(isinstance(kwargs.get(end), str) for end in ("min_value", "max_value")):
        return "time"
    if "pair" in expectation["type"] and kwargs["column_A"] not in TEXTS:
        return "double"
    if "bins" in (kwargs.get("partition_object") or {}):
        return "double"
    if "quantile" in expectation["type"] and kwargs["column"] not in present:
        return "double"
    return "nullable"


def same(ours, theirs):
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(theirs, list) and isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, bool) or isinstance(ours, bool):
        return ours == theirs
    if isinstance(ours, str) and isinstance(theirs, str) and ours != theirs:
        try:
            return abs(pd.Timestamp(ours).tz_localize(None) - pd.Timestamp(theirs)) <= pd.Timedelta(milliseconds=1)
        except ValueError:
            return False
    # A time as Weir's flows hold it.
    if isinstance(ours, int) and isinstance(theirs, str) and "T" in theirs:
        return pd.Timestamp(ours, unit="ms") == pd.Timestamp(theirs)
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        return math.isclose(ours, theirs, rel_tol=1e-9) or ours == theirs
    # JSON has neither NaN nor NaT: nothing to observe.
    if ours is None:
        return theirs is None or pd.isna(theirs) or theirs == "NaT"
    return ours == theirs


def compare(case):
    lines = (case / "flows.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    suite = json.loads((case / "suite.json").read_text())
    ours = {r["expectation_config"]["meta"]["number"]: r for r in json.loads((case / "result.json").read_text())["results"]}
    differences, compared, held = [], 0, 0
    present = {name for row in rows for name in row}
    for kind in ("nullable", "double", "time"):
        chosen = [e for e in suite["expectations"] if kind_of(e, present) == kind]
        if not chosen:
            continue
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        asset = context.data_sources.add_pandas("flows").add_dataframe_asset(kind)
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": view(rows, kind)})
        rewritten = ExpectationSuite(name=suite["name"], expectations=chosen)
        (case / f"rewritten-{kind}.json").write_text(json.dumps(rewritten.to_json_dict()))
        theirs = batch.validate(rewritten, result_format="SUMMARY")
        for result in theirs.to_json_dict()["results"]:
            config = result["expectation_config"]
            own = ours.pop(config["meta"]["number"])
            label = f"{case.name}: {config['type']}({json.dumps(config['kwargs'])})"
            raised = [e for e in [result["exception_info"], *result["exception_info"].values()]
                      if isinstance(e, dict) and e.get("raised_exception")]
            if raised:
                differences.append(f"{label}: Great Expectations raised {raised[0]['exception_message']}")
                continue
            compared += 1
            held += result["success"]
            if own["success"] != result["success"]:
                differences.append(f"{label}: success {own['success']}, theirs {result['success']}: {own['result']} {result['result']}")
            for name in COMPARED:
                if name not in own["result"] and name not in result["result"]:
                    continue
                mine, its = own["result"].get(name), result["result"].get(name)
                if name == "partial_missing_list" and its:
                    its = sorted(its)  # the order of a Python set
                if not same(mine, its):
                    differences.append(f"{label}: {name} {mine}, theirs {its}")
    differences += [f"{case.name}: number {number} was not evaluated" for number in ours]
    print(f"{case.name}: {len(rows)} rows, {compared} expectations compared, {held} held, {len(differences)} differences")
    return differences


def main():
    cases = sorted(path.parent for path in pathlib.Path(sys.argv[1]).glob("*/suite.json"))
    if not cases:
        sys.exit(f"error: no cases in {sys.argv[1]}")
    differences = [difference for case in cases for difference in compare(case)]
    print("\n".join(differences))
    sys.exit(1 if differences else 0)


main()
