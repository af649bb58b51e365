"""Do the rules fire when they should, and do rules and dashboard ask only for what the predictor exports?

    monitoring.py MANIFESTS RULES_TEST METRICS

MANIFESTS: a rendered overlay with monitoring. RULES_TEST: promtool's unit tests of the rules, which read `rules.yaml`
beside them. METRICS: the text of a predictor's /metrics, after a prediction and a refused row. Needs promtool.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

# Labels and series that Prometheus itself adds.
TARGET_LABELS = {"namespace", "pod", "job", "instance", "container", "inferenceservice"}
BUILT_IN = {"up"}
WORDS = {"by", "on", "without", "ignoring", "unless", "and", "or", "offset", "group_left", "group_right", "bool"}


def main(manifests, rules_test, metrics):
    documents = list(yaml.safe_load_all(pathlib.Path(manifests).read_text()))
    rules = next(document["spec"] for document in documents if document["kind"] == "PrometheusRule")
    dashboard = next(document["data"]["weir.json"] for document in documents if "weir.json" in document.get("data", {}))
    panels = [target["expr"] for panel in json.loads(dashboard)["panels"] for target in panel["targets"]]
    variables = [of["query"]["query"] for of in json.loads(dashboard)["templating"]["list"] if isinstance(of["query"], dict)]
    queries = [expression.replace("$__rate_interval", "5m").replace("$namespace", "weir") for expression in panels]
    if len(queries) < 15 or any("$" in query for query in queries):
        sys.exit("error: the dashboard lost its queries, or has a variable that this does not know")

    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        (directory / "rules.yaml").write_text(yaml.safe_dump(rules))
        (directory / "rules-test.yaml").write_text(pathlib.Path(rules_test).read_text())
        as_rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
        (directory / "dashboard.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": as_rules}]}))
        promtool("check", "rules", directory / "rules.yaml", directory / "dashboard.yaml")
        promtool("test", "rules", directory / "rules-test.yaml")

    exported = series(pathlib.Path(metrics).read_text())
    known = {**exported, **{name: TARGET_LABELS for name in BUILT_IN}}
    all_rules = [rule for group in rules["groups"] for rule in group["rules"]]
    known |= {rule["record"]: {"namespace", "model_name"} for rule in all_rules if "record" in rule}
    problems = []
    of_variables = [variable.split("(")[1].split(",")[0] for variable in variables]
    for query in [rule["expr"] for rule in all_rules] + queries + of_variables:
        names, labels = asked(query)
        problems += [f"{name} is not exported: {query}" for name in names - set(known)]
        of_names = TARGET_LABELS | {"le"}.union(*(known.get(name, set()) for name in names))
        problems += [f"no series has the label {label}: {query}" for label in labels - of_names]
    alerts = {rule["alert"] for rule in all_rules if "alert" in rule}
    tested = set(re.findall(r"alertname: (\w+)", pathlib.Path(rules_test).read_text()))
    problems += [f"no test of the alert {name}" for name in sorted(alerts ^ tested)]
    for problem in problems:
        print(problem)
    print(f"{len(alerts)} alerts, {len(queries)} queries, {len(exported)} series exported, {len(problems)} problems")
    return 1 if problems else 0


def promtool(*arguments):
    done = subprocess.run([os.environ.get("PROMTOOL", "promtool"), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: promtool {arguments[0]} {arguments[1]}\n{done.stdout}{done.stderr}")


def series(text):
    """Series name -> names of its labels."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? ", line)
        if match and not line.startswith("#"):
            found.setdefault(match[1], set()).update(re.findall(r'(\w+)="', match[3] or ""))
    return found


def asked(query):
    """(series, labels) that a query names."""
    query = re.sub(r'"(\\.|[^"\\])*"', '""', query)
    labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"\"", query))
    query = re.sub(r"\{[^}]*\}", "", query)
    for group in re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", query):
        labels |= set(re.findall(r"\w+", group))
    query = re.sub(r"\b(?:by|on|without|ignoring)\s*\([^)]*\)", "", query)
    query = re.sub(r"\[[^\]]*\]|\boffset\s+\w+", "", query)
    return {name for name in re.findall(r"(?<![\w.])([a-zA-Z_:][\w:]*)(?!\w)(?!\s*\()", query) if name not in WORDS}, labels


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
