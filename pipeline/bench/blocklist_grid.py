#!/usr/bin/env python3
"""Who is listed, on simulated access logs of many sizes and attacks: `weir block detect` against the original recipe.

  pip install pandas scikit-learn
  blocklist_grid.py [--weir PATH] [--sizes 1000,20000,200000] [--attacks NAME,...] [--seeds 1,2,3] [--record FILE]

Makes each log with `weir simulate access-log`, which tells who attacks, has both list clients, and prints a table in
Markdown: precision and recall over the logs of all seeds, and how many innocents are listed. --record appends a JSON line
per log. blocklist_article.py has the original recipe, which needs pandas and scikit-learn.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import blocklist_article
from search_runs import WEIR, Record, head

# Ordinary lines come at about ten per second. The seconds of a slow attack are those of the log.
SECONDS_PER_LINE = 0.1
FLOOD_SECONDS = 60
ATTACKS = {
    "none": [],
    "1 x 10/s random-url": ["random-url:1:10"],
    "1 x 50/s random-url": ["random-url:1:50"],
    "1 x 300/s random-url": ["random-url:1:300"],
    "1 x 50/s same-url": ["same-url:1:50"],
    "1 x 50/s valid-pages": ["valid-pages:1:50"],
    "1 x 50/s random-path": ["random-path:1:50"],
    "20 x 10/s random-url": ["random-url:20:10"],
    "20 x 10/s same-url": ["same-url:20:10"],
    "20 x 10/s valid-pages": ["valid-pages:20:10"],
    "300 x 3/s random-url": ["random-url:300:3"],
    "300 x 10/s random-url": ["random-url:300:10"],
    "300 x 10/s same-url": ["same-url:300:10"],
    "20 x 0.3/s slow": ["slow:20:0.3"],
    "mixed": ["random-url:5:50", "same-url:5:20", "valid-pages:5:50", "slow:5:0.3"],
    "20 x 20/s same-url, overload": ["same-url:20:20"],
}
# Requests per second that the server answers.
CAPACITY = {"20 x 20/s same-url, overload": 100}


def plans(attack, lines):
    """The attacks as `weir simulate access-log` wants them."""
    whole = lines * SECONDS_PER_LINE
    return [f"{plan}:{whole}:0" if plan.startswith("slow") else f"{plan}:{FLOOD_SECONDS}" for plan in ATTACKS[attack]]


def simulate(weir, attack, lines, seed, log, truth):
    """Writes a log; returns what is true about it."""
    command = [weir, "simulate", "access-log", "--quiet", "--lines", str(lines), "--seconds", str(lines * SECONDS_PER_LINE),
               "--seed", str(seed), "--out", log, "--truth", truth]
    for plan in plans(attack, lines):
        command += ["--attack", plan]
    if attack in CAPACITY:
        command += ["--capacity", str(CAPACITY[attack])]
    subprocess.run(command, check=True)
    with open(truth, encoding="utf-8") as file:
        return json.load(file)


def detect(weir, log, out):
    """The addresses that `weir block detect` lists, and whether its clustering abstained."""
    done = subprocess.run([weir, "block", "detect", "--quiet", "--log", log, "--out", out], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"weir block detect ended with {done.returncode}: {done.stderr.strip()}")
    with open(os.path.join(out, "detection.json"), encoding="utf-8") as file:
        detection = json.load(file)
    grouping = detection["grouping"]
    return {
        "listed": [suspect["client"] for suspect in detection["listed"]],
        "spared": len(detection["spared"]),
        "abstained": not (grouping and grouping["two_groups"]),
    }


def article(log):
    """The addresses that the original recipe blocks; none where it ends with an error."""
    try:
        return {"listed": blocklist_article.blocked(blocklist_article.group(blocklist_article.read_fast(log)))}
    except ValueError as error:
        return {"listed": [], "error": str(error)}


def score(listed, attackers):
    """How many of the listed attack (`right`), how many do not (`wrong`), and how many attackers are not listed."""
    listed, attackers = set(listed), set(attackers)
    return {"right": len(listed & attackers), "wrong": len(listed - attackers), "missed": len(attackers - listed)}


def total(scores):
    return {key: sum(score[key] for score in scores) for key in ("right", "wrong", "missed")}


def precision(score):
    """Share of the listed that attack; none where nobody is listed."""
    listed = score["right"] + score["wrong"]
    return score["right"] / listed if listed else None


def recall(score):
    """Share of the attackers that are listed; none where nobody attacks."""
    attackers = score["right"] + score["missed"]
    return score["right"] / attackers if attackers else None


def table(rows):
    """Markdown: a line per attack and size, over all seeds."""
    def share(value):
        return "-" if value is None else f"{value:.2f}"

    titles = ["attack", "ordinary lines", "attackers", "Weir: precision", "recall", "innocents", "spared by a cap",
              "recipe: precision", "recall", "innocents"]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    cells = {}
    for row in rows:
        cells.setdefault((row["attack"], row["ordinary"]), []).append(row)
    for (attack, ordinary), logs in cells.items():
        cell = [attack, f"{ordinary:,}", str(sum(log["attackers"] for log in logs))]
        for way in ("weir", "article"):
            found = total([log[way] for log in logs])
            cell += [share(precision(found)), share(recall(found)), str(found["wrong"])]
            if way == "weir":
                cell.append(str(sum(log["weir"]["spared"] for log in logs)))
        lines.append(f"| {' | '.join(cell)} |")
    return "\n".join(lines)


def summary(rows):
    """Totals over all logs, apart for logs with floods, with only slow attackers, and without attack."""
    kinds = {"floods": lambda row: row["attackers"] and not row["attack"].endswith("slow"),
             "slow": lambda row: row["attackers"] and row["attack"].endswith("slow"),
             "none": lambda row: not row["attackers"]}
    result = {}
    for kind, belongs in kinds.items():
        logs = [row for row in rows if belongs(row)]
        for way in ("weir", "article"):
            found = total([row[way] for row in logs])
            recalls = [recall(row[way]) for row in logs if row["attackers"]]
            result[f"{kind} {way}"] = {
                "logs": len(logs), **found, "precision": precision(found), "recall": recall(found),
                "mean_recall_of_a_log": sum(recalls) / len(recalls) if recalls else None,
                "logs_with_innocents_listed": sum(row[way]["wrong"] > 0 for row in logs),
            }
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weir", default=WEIR)
    parser.add_argument("--sizes", default="1000,20000,200000", help="ordinary lines of the logs")
    parser.add_argument("--attacks", help=f"of: {'; '.join(ATTACKS)} [default: all], separated by ;")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--dir", help="where the logs go [default: a temporary directory]")
    parser.add_argument("--record", help="file to append the lines to")
    args = parser.parse_args()
    attacks = args.attacks.split(";") if args.attacks else list(ATTACKS)
    if unknown := [attack for attack in attacks if attack not in ATTACKS]:
        parser.error(f"--attacks: no such attack: {unknown[0]}")

    record, rows = Record(), []
    record.say(head())
    for attack in attacks:
        for lines in map(int, args.sizes.split(",")):
            for seed in map(int, args.seeds.split(",")):
                with tempfile.TemporaryDirectory(dir=args.dir) as folder:
                    log = os.path.join(folder, "access.log")
                    truth = simulate(args.weir, attack, lines, seed, log, os.path.join(folder, "truth.json"))
                    attackers = [attacker["client"] for attacker in truth["attackers"]]
                    weir = detect(args.weir, log, os.path.join(folder, "detection"))
                    recipe = article(log)
                row = {"attack": attack, "ordinary": lines, "seed": seed, "lines": truth["lines"],
                       "clients": truth["clients"], "attackers": len(attackers),
                       "weir": {**score(weir.pop("listed"), attackers), **weir},
                       "article": {**score(recipe.pop("listed"), attackers), **recipe}}
                rows.append(row)
                record.say(row)
    record.say(summary(rows))
    print(table(rows))
    if args.record:
        record.append_to(args.record)


if __name__ == "__main__":
    main()
