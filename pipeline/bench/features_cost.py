#!/usr/bin/env python3
"""What the features stage costs, against a plain copy of the same file to Parquet and against the report's way.

  features_cost.py --rows 1000000 --rounds 5 --report [--python PYTHON] [--weir target/.../weir] [--record FILE]

Makes flows with `weir simulate flows` and runs, turn by turn in every round, `features_reference.py --copy` (polars
scan_csv -> sink_parquet), `weir features`, and with --report once per run `features_reference.py` (pandas, ipaddress,
Great Expectations). Prints a JSON line per run and one with the ratios of the medians. --python names an interpreter
with polars, pandas, pyarrow, scikit-learn and great_expectations.

With --distinct every record is a flow of its own: its line number is appended to its flow id.

Seconds of Weir are those of the whole process but its audit, which is reported beside them; seconds of the references
leave out their imports. Memory is the peak of the process.
"""
import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
WEIR = "target/x86_64-unknown-linux-gnu/release/weir"


def run(command):
    """The wall seconds, CPU seconds, peak memory (MB) and standard output of a command."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed with status {status}")
    seconds = time.perf_counter() - begin
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, output


def make_distinct(path):
    """Appends the line number to the flow id, the first field, of every record."""
    with open(path) as records, open(path + ".part", "w") as out:
        out.write(next(records))
        for number, line in enumerate(records, 2):
            flow_id, rest = line.split(",", 1)
            out.write(f"{flow_id}-{number},{rest}")
    os.replace(path + ".part", path)


def parquet_bytes(folder):
    return sum(entry.stat().st_size for entry in os.scandir(folder) if entry.name.endswith(".parquet"))


def reference(python, way, flows, out):
    command = [python, os.path.join(HERE, "features_reference.py"), *way, flows, out]
    _, cpu, _, output = run(command)
    result = json.loads(output.splitlines()[-1])
    return {"way": result["way"], "seconds": result["total_s"], "process_cpu_seconds": round(cpu, 3),
            "peak_mb": result["peak_rss_mb"], "parquet_bytes": parquet_bytes(out), "rows": result["rows"]}


def weir(binary, flows, out, threads):
    command = [binary, "features", "--data", flows, "--out", out, "--force", "--quiet", "--json"]
    if threads:
        command += ["--jobs", str(threads)]
    seconds, cpu, peak, output = run(command)
    with open(os.path.join(out, "run-info.json")) as file:
        parts = json.load(file)["parts"]
    audit = parts.get("audit", 0.0)
    return {"way": "weir", "seconds": round(seconds - audit, 3), "audit_seconds": round(audit, 3),
            "process_cpu_seconds": round(cpu, 3), "peak_mb": peak, "parquet_bytes": parquet_bytes(out),
            "rows": json.loads(output)["rows"],
            "parts": {name: round(part, 3) for name, part in parts.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--distinct", action="store_true", help="give every record a flow id of its own")
    parser.add_argument("--report", action="store_true", help="run the report's way, too")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--weir", default=WEIR)
    parser.add_argument("--jobs", type=int, help="threads of Weir")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dir", help="where the files go [default: a temporary directory]")
    parser.add_argument("--record", help="file to append the lines to")
    args = parser.parse_args()

    lines = []

    def say(line):
        lines.append(json.dumps(line))
        print(lines[-1], flush=True)

    folder = tempfile.mkdtemp(dir=args.dir)
    try:
        flows = os.path.join(folder, "flows.csv")
        subprocess.run([args.weir, "simulate", "flows", "--rows", str(args.rows), "--seed", str(args.seed),
                        "--out", flows, "--quiet"], check=True)
        if args.distinct:
            make_distinct(flows)
        say({"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
             "command": " ".join(sys.argv), "machine": platform.processor() or platform.machine(),
             "cores": os.cpu_count(), "load": os.getloadavg()[0], "csv_bytes": os.path.getsize(flows)})
        seconds = {}
        for number in range(args.rounds):
            ways = [lambda: reference(args.python, ["--copy"], flows, os.path.join(folder, "copy")),
                    lambda: weir(args.weir, flows, os.path.join(folder, "features"), args.jobs)]
            if args.report and number == 0:
                ways.append(lambda: reference(args.python, [], flows, os.path.join(folder, "report")))
            for way in ways:
                result = way()
                seconds.setdefault(result["way"], []).append(result["seconds"])
                say({"round": number, **result})
        medians = {way: round(statistics.median(values), 3) for way, values in seconds.items()}
        ratios = {"rows": args.rows, "median_seconds": medians,
                  "weir_to_copy": round(medians["weir"] / medians["copy"], 2)}
        if "pandas" in medians:
            ratios["report_to_weir"] = round(medians["pandas"] / medians["weir"], 1)
        say(ratios)
    finally:
        shutil.rmtree(folder)
    if args.record:
        with open(args.record, "a") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
