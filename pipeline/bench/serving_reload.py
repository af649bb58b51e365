"""Replacing the bundle of a predictor again and again while it predicts."""

import asyncio
import itertools
import json
import os
import statistics
import time
from collections import Counter

import serving_servers
from search_runs import Failed
from serving_client import connect, growth, mixed_rows, request_bytes

PATH = "/v2/models/model/infer"
BODIES, ROWS, CONNECTIONS = 16, 16, 8
# Seconds between two reloads.
PAUSE = 0.05


async def reloads(args, bundles, folder):
    """A line about `args.reloads` reloads, in turn of the one and of the other bundle."""
    link = os.path.join(folder, "served")
    requests = [request_bytes(PATH, body(rows)) for rows in mixed_rows(bundles[0], ROWS, BODIES)]
    expected = {}
    for bundle in bundles:
        point(link, bundle)
        with start(args, link) as server:
            expected[version(server)] = await labels(server.port, requests)
    versions = list(expected)
    if expected[versions[0]] == expected[versions[-1]]:
        raise Failed("the two bundles cannot be told apart by their labels; choose other --families")

    point(link, bundles[0])
    counts, memory, latencies = Counter(wrong=0, failed=0), [], []
    with start(args, link) as server:
        done = asyncio.Event()
        load = [asyncio.create_task(ask(server.port, requests[number:] + requests[:number], expected, counts, done))
                for number in range(CONNECTIONS)]
        for number in range(1, args.reloads + 1):
            await asyncio.sleep(PAUSE)
            point(link, bundles[number % 2])
            begin = time.perf_counter()
            status, answer = await asyncio.to_thread(server.ask, "POST", "/v2/repository/models/model/load")
            latencies.append(time.perf_counter() - begin)
            if status != 200:
                raise Failed(f"reload {number} was answered {status}: {answer}")
            counts["reloaded"] += await asyncio.to_thread(version, server) == versions[number % 2]
            memory.append(server.resident_mb())
        done.set()
        await asyncio.gather(*load)
    of_each = [counts.pop(version, 0) for version in versions]
    line = {"measure": "reloads", "families": args.families, "reloads": args.reloads, "connections": CONNECTIONS,
            "answered_by_each": of_each, **counts, "median_reload_ms": round(statistics.median(latencies) * 1000, 2),
            **growth(memory)}
    promises = {
        "a request failed during reloads": counts["failed"] == 0,
        "an answer with other labels than its bundle's": counts["wrong"] == 0,
        "a reload that changed nothing": counts["reloaded"] == args.reloads,
        "a bundle that answered nothing": min(of_each) > 0,
        "memory grows with reloads": line["memory_late_mb"] <= 1.1 * line["memory_early_mb"] + 4,
    }
    return line | {"broken_promises": [name for name, kept in promises.items() if not kept]}


def start(args, link):
    """A server that reloads when it is told to."""
    return serving_servers.weir(args.server, link, {args.server_cpu}, ["--model-name", "model", "--reload", "0"])


def point(link, bundle):
    """Moves the link in one step."""
    os.symlink(os.path.abspath(bundle), link + ".new")
    os.replace(link + ".new", link)


def version(server):
    return server.ask("GET", "/v2/models/model")[1]["versions"][0]


def body(rows):
    data = [value for row in rows for value in row]
    tensor = {"name": "X", "shape": [len(rows), len(rows[0])], "datatype": "FP64", "data": data}
    return json.dumps({"inputs": [tensor], "outputs": [{"name": "label"}]})


async def labels(port, requests):
    """The labels of every request, by the bundle that is served."""
    connection = await connect(port)
    found = {request: json.loads((await connection.post(request)).body)["outputs"][0]["data"] for request in requests}
    connection.close()
    return found


async def ask(port, requests, expected, counts, done):
    """Asks until it is done; an answer names the version of the bundle whose labels it has to have."""
    connection = await connect(port)
    for request in itertools.cycle(requests):
        if done.is_set():
            return connection.close()
        answer = await connection.post(request)
        counts["sent"] += 1
        if answer.status != 200:
            counts["failed"] += 1
            if connection.broken:
                connection = await connect(port)
            continue
        found = json.loads(answer.body)
        right = found["outputs"][0]["data"] == expected[found["model_version"]][request]
        counts["right" if right else "wrong"] += 1
        counts[found["model_version"]] += 1
