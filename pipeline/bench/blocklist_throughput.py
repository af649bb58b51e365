#!/usr/bin/env python3
"""How fast access logs become a blocklist: `weir block detect` against GoAccess and the original recipe.

  apt-get install goaccess; pip install pandas scikit-learn
  blocklist_throughput.py [--weir PATH] [--python PYTHON] [--rounds 3] [--dir DIR] [--record FILE]

Simulates a log of about 1 GB and one of a tenth of that, both of the same visitors, then runs in turn in every round: Weir
on all cores and on one thread, GoAccess (one thread, as it is), and Weir on the small log. In the first round the recipe
as its author wrote it, on the first 100,000 lines of the log. Seconds are those of the whole process; those of the recipe
leave out imports. Memory is the peak of the process.
"""
import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from search_runs import WEIR, Record, head, run

HERE = os.path.dirname(os.path.abspath(__file__))
ATTACK = "random-url:20:10:600"
ARTICLE_LINES = 100_000


def timed(command):
    begin = time.perf_counter()
    done = run(command)
    return {"seconds": round(time.perf_counter() - begin, 3), "cpu_seconds": round(done.cpu_seconds, 3),
            "peak_mb": done.peak_mb}


def weir(binary, log, out, *options):
    shutil.rmtree(out, ignore_errors=True)
    result = timed([binary, "block", "detect", "--quiet", "--log", log, "--out", out, *options])
    with open(os.path.join(out, "detection.json"), encoding="utf-8") as file:
        summary = json.load(file)["log"]
    return {"lines": summary["lines"], "clients": summary["clients"], **result}


def goaccess(log, out):
    result = timed(["goaccess", log, "--log-format=COMBINED", "--no-global-config", "-o", out])
    with open(out, encoding="utf-8", errors="replace") as file:
        general = json.load(file)["general"]
    return {"lines": general["total_requests"], "failed_lines": general["failed_requests"], **result}


def article(python, log):
    """The recipe's own account: seconds without imports."""
    done = run([python, os.path.join(HERE, "blocklist_article.py"), log])
    told = json.loads(done.output)
    return {"lines": told["lines"], "seconds": told["seconds"], "cpu_seconds": round(done.cpu_seconds, 3),
            "peak_mb": done.peak_mb}


def simulate(binary, lines, visitors, out):
    subprocess.run([binary, "simulate", "access-log", "--quiet", "--lines", str(lines), "--visitors", str(visitors),
                    "--attack", ATTACK, "--out", out], check=True)


def first_lines(log, count, out):
    with open(log, "rb") as whole, open(out, "wb") as part:
        part.writelines(itertools.islice(whole, count))


def ratios(rounds):
    """Medians over the rounds of what is compared within a round; `rounds` is a list of {way: result}."""
    def median(of):
        values = [of(one) for one in rounds]
        return round(statistics.median(values), 2)

    def speed(result):
        return result["lines"] / result["seconds"]

    found = {
        "weir_lines_per_second": median(lambda one: speed(one["weir"])),
        "goaccess_lines_per_second": median(lambda one: speed(one["goaccess"])),
        "weir_to_goaccess": median(lambda one: speed(one["weir"]) / speed(one["goaccess"])),
        "weir_to_goaccess_one_thread": median(lambda one: speed(one["one thread"]) / speed(one["goaccess"])),
        "weir_to_goaccess_cpu": median(lambda one: one["goaccess"]["cpu_seconds"] / one["weir"]["cpu_seconds"]),
        "memory_large_to_small": median(lambda one: one["weir"]["peak_mb"] / one["small"]["peak_mb"]),
    }
    with_article = [one for one in rounds if "article" in one]
    if with_article:
        found["article_lines_per_second"] = round(speed(with_article[0]["article"]), 2)
        found["weir_to_article"] = round(
            statistics.median(speed(one["weir"]) / speed(one["article"]) for one in with_article), 2)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weir", default=WEIR)
    parser.add_argument("--python", default=sys.executable, help="an interpreter with pandas and scikit-learn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, default=4_400_000, help="of the large log, 228 bytes each")
    parser.add_argument("--visitors", type=int, default=2_000, help="of both logs, few enough that all come to either")
    parser.add_argument("--no-article", action="store_true")
    parser.add_argument("--dir", help="where the logs go [default: a temporary directory]")
    parser.add_argument("--record", help="file to append the lines to")
    args = parser.parse_args()

    record, rounds = Record(), []
    with tempfile.TemporaryDirectory(dir=args.dir) as folder:
        def path(name):
            return os.path.join(folder, name)

        simulate(args.weir, args.lines, args.visitors, path("large.log"))
        simulate(args.weir, args.lines // 10, args.visitors, path("small.log"))
        first_lines(path("large.log"), ARTICLE_LINES, path("first.log"))
        record.say({**head(), "bytes": os.path.getsize(path("large.log")), "goaccess": subprocess.run(
            ["goaccess", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]})
        ways = {
            "weir": lambda: weir(args.weir, path("large.log"), path("detection")),
            "goaccess": lambda: goaccess(path("large.log"), path("goaccess.json")),
            "one thread": lambda: weir(args.weir, path("large.log"), path("detection"), "--jobs", "1"),
            "small": lambda: weir(args.weir, path("small.log"), path("detection")),
        }
        for number in range(args.rounds):
            results = {way: work() for way, work in ways.items()}
            if number == 0 and not args.no_article:
                results["article"] = article(args.python, path("first.log"))
            if results["weir"]["lines"] != results["goaccess"]["lines"]:
                sys.exit(f"GoAccess read {results['goaccess']['lines']} lines, Weir {results['weir']['lines']}")
            for way, result in results.items():
                record.say({"round": number, "way": way, **result})
            rounds.append(results)
        record.say(ratios(rounds))
    if args.record:
        record.append_to(args.record)


if __name__ == "__main__":
    main()
