#!/usr/bin/env python3
"""Whether the predictor stays well under ten times the load it can take, and while its bundle is replaced.

  serving_overload.py --run RUN [--seconds 60] [--reloads 100] [--server "BIN"] [--record FILE]

The server is bound to one CPU, the load to another. Prints JSON lines; ends with 1 when something was promised and not
kept: a wrong or failed answer, 503 without Retry-After, memory that grows, no recovery. README.md, "Serving", has all.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import shlex
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter

import serving_servers
from search_runs import WEIR, Failed, Record, head, version
from serving import SERVER, package
from serving_client import connect, growth, mixed_rows, request_bytes
from serving_reload import reloads

V1 = "/v1/models/model:predict"
# Requests that differ in their rows.
BODIES = 16
# Seconds of load that measure a capacity.
CAPACITY = 3
# Share of the capacity before that has to come back, and how often it is measured at most.
RECOVERED, TRIES = 0.5, 5
# More requests a second than one process of Python sends well.
MOST_OFFERED = 6000


def main():
    args = arguments()
    os.sched_setaffinity(0, {args.load_cpu})
    record = Record()
    record.say(head() | {"weir": version(args.weir)})
    folder = tempfile.mkdtemp(dir=args.dir)
    try:
        bundles = [package(args, family, os.path.join(folder, family)) for family in args.families]
        lines = []
        if args.seconds:
            lines.append(asyncio.run(overload(args, bundles[0])))
            record.say(lines[-1])
        if args.reloads:
            lines.append(asyncio.run(reloads(args, bundles, folder)))
            record.say(lines[-1])
    finally:
        shutil.rmtree(folder)
    if args.record:
        record.append_to(args.record)
    broken = [promise for line in lines for promise in line["broken_promises"]]
    if broken:
        raise Failed("; ".join(broken))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, help="directory of a run with features and trials")
    parser.add_argument("--families", type=lambda text: text.split(","), default=["knn", "decision-tree"],
                        help="the first is put under load, both take turns in reloads")
    parser.add_argument("--seconds", type=float, default=60, help="of overload; 0 for none")
    parser.add_argument("--times", type=float, default=12, help="how far over capacity to send")
    parser.add_argument("--concurrency", type=int, default=8, help="predictions the server admits at once")
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--reloads", type=int, default=100, help="0 for none")
    parser.add_argument("--server", type=shlex.split, default=[SERVER], help='words such as "weir serve"')
    parser.add_argument("--weir", default=WEIR)
    parser.add_argument("--server-cpu", type=int, default=0)
    parser.add_argument("--load-cpu", type=int, default=1)
    parser.add_argument("--dir", help="where the files go [default: a temporary directory]")
    parser.add_argument("--record", help="file to append the lines to")
    args = parser.parse_args()
    if len(args.families) != 2:
        parser.error("--families takes two, separated by a comma")
    return args


async def overload(args, bundle):
    """A line about several times as many requests as are answered without overload, for a while."""
    options = ["--model-name", "model", "--max-concurrency", str(args.concurrency), "--quiet"]
    with serving_servers.weir(args.server, bundle, {args.server_cpu}, options) as server:
        rows, capacity, asked = await fitting_load(args, server, bundle)
        memory_before = server.resident_mb()
        offered = args.times * capacity
        counts, seconds, sampled = Counter(wrong=0, failed=0, unexplained=0), {}, []
        connections = [await connect(server.port) for _ in range(args.connections)]
        sampler = asyncio.create_task(sample_memory(server, sampled))
        begin = time.perf_counter()
        await asyncio.gather(*(
            offer(server.port, connections, number, asked, (begin, begin + args.seconds), offered, counts, seconds)
            for number in range(len(connections))
        ))
        elapsed = time.perf_counter() - begin
        sampler.cancel()
        for connection in connections:
            connection.close()

        stopped = time.perf_counter()
        answered = await ask_once(server.port, *asked[0])
        recovery_ms = (time.perf_counter() - stopped) * 1000
        after = await recovered_capacity(server.port, asked, args.concurrency, RECOVERED * capacity)
    line = {
        "measure": "overload", "family": args.families[0], "rows": rows, "max_concurrency": args.concurrency,
        "connections": args.connections, "seconds": round(elapsed, 1), "capacity_per_second": round(capacity, 1),
        "sent_per_second": round(counts["sent"] / elapsed, 1), "times": round(counts["sent"] / elapsed / capacity, 2),
        "answered_per_second": round(counts["right"] / elapsed, 1), **counts,
        "p50_ms": milliseconds(seconds, 0.5), "p99_ms": milliseconds(seconds, 0.99),
        "memory_before_mb": memory_before, **growth(sampled),
        "first_answer_after_ms": round(recovery_ms, 2), "capacity_after_per_second": round(after, 1),
    }
    promises = {
        "a wrong answer": counts["wrong"] == 0,
        "a request that failed otherwise than with 503": counts["failed"] == 0,
        "503 without Retry-After or message": counts["unexplained"] == 0,
        "nothing was shed": counts["shed"] > 0,
        "nothing was answered": counts["right"] > 0,
        "memory grows": line["memory_late_mb"] <= 1.1 * line["memory_early_mb"] + 4,
        "no answer right after": answered,
        "slower after than before": after > RECOVERED * capacity,
    }
    return line | {"broken_promises": [name for name, kept in promises.items() if not kept]}


async def fitting_load(args, server, bundle):
    """Rows per request, requests per second without overload, and requests with their answers.

    Rows are doubled until this process can send as many times the capacity as are wanted.
    """
    rows = 32
    while True:
        asked = await learn(server.port, bodies(bundle, rows))
        capacity = await measure_capacity(server.port, asked, args.concurrency)
        if args.times * capacity <= MOST_OFFERED or rows >= 4096:
            return rows, capacity, asked
        rows *= 2


async def learn(port, bodies):
    """Requests and the answers that they have without load."""
    connection = await connect(port)
    asked = []
    for body in bodies:
        request = request_bytes(V1, body)
        answer = await connection.post(request)
        if answer.status != 200:
            raise Failed(f"expected predictions, received {answer.status}: {answer.body[:200]}")
        asked.append((request, answer.body))
    connection.close()
    return asked


async def measure_capacity(port, asked, connections):
    """Answers per second to as many connections as are admitted at once, which ask again when they are answered."""
    counts = Counter()
    end = time.perf_counter() + CAPACITY

    async def ask(number):
        connection = await connect(port)
        for request, expected in itertools.cycle(asked[number % BODIES:] + asked[:number % BODIES]):
            if time.perf_counter() > end:
                return connection.close()
            tell(await connection.post(request), expected, counts)

    await asyncio.gather(*(ask(number) for number in range(connections)))
    if counts["right"] != counts["sent"]:
        raise Failed(f"without overload not all answers are right: {dict(counts)}")
    return counts["right"] / CAPACITY


async def recovered_capacity(port, asked, connections, enough):
    """The first capacity that is more than enough, else the best: what does not recover stays slow, a neighbour ends."""
    best = 0
    for _ in range(TRIES):
        best = max(best, await measure_capacity(port, asked, connections))
        if best > enough:
            break
    return best


async def offer(port, connections, number, asked, period, offered, counts, times):
    """Asks on one of the connections, which share what is offered, at times of its own.

    What is not answered by the time of the next request is not followed by a burst of what was missed.
    """
    begin, end = period
    interval = len(connections) / offered
    due = begin + interval * random.Random(number).random()
    for request, expected in itertools.cycle(asked[number % BODIES:] + asked[:number % BODIES]):
        if due > end:
            return
        await asyncio.sleep(due - time.perf_counter())
        if connections[number].broken:
            connections[number] = await connect(port)
        answer = await connections[number].post(request)
        tell(answer, expected, counts)
        times.setdefault(answer.status, []).append(answer.seconds)
        due = max(due + interval, time.perf_counter())


def tell(answer, expected, counts):
    """Counts an answer as right, wrong, shed (503), unexplained (503 without a word) or failed."""
    counts["sent"] += 1
    if answer.status == 200:
        counts["right" if answer.body == expected else "wrong"] += 1
    elif answer.status == 503:
        counts["shed"] += 1
        explained = b"\nretry-after:" in answer.head and json.loads(answer.body).get("error")
        counts["unexplained"] += not explained
    else:
        counts["failed"] += 1


async def ask_once(port, request, expected):
    """Whether a new connection is answered rightly."""
    connection = await connect(port)
    answer = await connection.post(request)
    connection.close()
    return answer.status == 200 and answer.body == expected


async def sample_memory(server, sampled):
    while True:
        sampled.append(server.resident_mb())
        await asyncio.sleep(0.25)


def milliseconds(seconds, share):
    """A quantile of the times to an answer, by status."""
    found = {}
    for status, values in seconds.items():
        if len(values) > 1:
            found[status] = round(statistics.quantiles(values, n=1000)[round(share * 1000) - 1] * 1000, 2)
    return found


def bodies(bundle, rows):
    return [json.dumps({"instances": rows}) for rows in mixed_rows(bundle, rows, BODIES)]


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"error: {failure}")
