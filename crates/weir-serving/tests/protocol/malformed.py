"""Requests that are none, or not quite, byte by byte: each is refused with a message, and the predictor goes on.

  malformed.py URL BUNDLE

Connections that say nothing, or say it slowly, are closed after over a minute; they are waited for beside the rest.
"""

import concurrent.futures
import gzip
import json
import os
import socket
import sys
import time
from dataclasses import dataclass

CLOSED = "closed"
# Seconds; longer than the predictor is patient with silence.
PATIENCE = 100


@dataclass
class Case:
    """What is sent, and the statuses that may come back; CLOSED where there may be no answer at all."""

    name: str
    pieces: list
    statuses: set
    pause: float = 0.0
    # What is not HTTP gets an answer without a body.
    told: bool = True
    # Ended by a clock.
    slow: bool = False


def main():
    url, bundle = sys.argv[1:]
    host, port = url.removeprefix("http://").split(":")
    address = (host, int(port))
    with open(os.path.join(bundle, "bundle.json"), encoding="utf-8") as file:
        name = json.load(file)["name"]
    with open(os.path.join(bundle, "input-example.json"), encoding="utf-8") as file:
        flow = json.load(file)["examples"][0]["flow"]
    valid = post(f"/v1/models/{name}:predict", json.dumps({"instances": [flow]}).encode())
    before = answers(address, [valid])
    assert before[0] == 200, before

    table = cases(name, flow)
    with concurrent.futures.ThreadPoolExecutor(len(table)) as threads:
        slow = {case.name: threads.submit(answers, address, case.pieces, case.pause) for case in table if case.slow}
        wrong = 0
        for case in sorted(table, key=lambda case: case.slow):
            reason = judge(case, slow[case.name].result() if case.slow else answers(address, case.pieces))
            if reason is None and answers(address, [valid]) != before:
                reason = "the valid request after it has another answer"
            if reason:
                wrong += 1
                print(f"{case.name}: {reason}")
    metrics = answers(address, [request("GET", "/metrics")])[1].decode()
    panics = [line for line in metrics.splitlines() if line.startswith("weir_panics_total")]
    if panics != ["weir_panics_total 0"]:
        wrong += 1
        print(f"panics: {panics}")
    print(f"malformed requests: {len(table) - wrong} of {len(table)} refused as they should be")
    sys.exit(wrong > 0)


def judge(case, answer):
    status, body = answer
    if status not in case.statuses:
        return f"answered {status}, not {sorted(map(str, case.statuses))}: {body[:200]!r}"
    if status == CLOSED or not case.told:
        return None
    try:
        message = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError) as error:
        return f"answered {status} without a message ({error}): {body[:200]!r}"
    return None if isinstance(message, str) and message else f"the message is {message!r}"


def cases(name, flow):
    v1, v2 = f"/v1/models/{name}:predict", f"/v2/models/{name}/infer"
    bad = {400}
    none = {400, CLOSED}

    def v1_body(title, body, statuses=bad, headers=()):
        return Case(f"v1: {title}", [post(v1, body, headers)], statuses)

    def v2_body(title, body, statuses=bad, headers=()):
        return Case(f"v2: {title}", [post(v2, body, headers)], statuses)

    def tensor(title, **members):
        usual = {"name": "X", "shape": [1, 1], "datatype": "FP64", "data": [1]}
        tensor = {key: value for key, value in (usual | members).items() if value is not None}
        return v2_body(title, json.dumps({"inputs": [tensor]}).encode())

    def binary(title, tensor, rest, length=None):
        head = json.dumps({"inputs": [{"name": "X", "datatype": "FP64", **tensor}]}).encode()
        header = ("Inference-Header-Content-Length", str(len(head)) if length is None else length)
        return v2_body(title, head + rest, headers=[header])

    flow_text = json.dumps(flow)
    packed = gzip.compress(json.dumps({"instances": [[0] * 5_000_000]}).encode())
    line = f"POST {v1} HTTP/1.1\r\nHost: x\r\n".encode()
    chunked = line + b"Transfer-Encoding: chunked\r\n\r\n"
    return [
        # Bodies of v1.
        *(v1_body(title, body) for title, body in [
            ("empty", b""),
            ("not JSON", b"instances"),
            ("cut off", b'{"instances": [[1, 2'),
            ("something behind", b'{"instances": []} {}'),
            ("a list", b"[]"),
            ("a number", b"1"),
            ("null", b"null"),
            ("no instances", b"{}"),
            ("instances twice", b'{"instances": [], "instances": []}'),
            ("instances is null", b'{"instances": null}'),
            ("instances is an object", b'{"instances": {}}'),
            ("instances is a text", b'{"instances": "abc"}'),
            ("a number as instance", b'{"instances": [1]}'),
            ("a text as instance", b'{"instances": ["1"]}'),
            ("too short a vector", b'{"instances": [[1, 2]]}'),
            ("too long a vector", b'{"instances": [[' + b"1," * 9999 + b"1]]}"),
            ("a text in a vector", b'{"instances": [["1", 2]]}'),
            ("null in a vector", b'{"instances": [[null]]}'),
            ("a list in a vector", b'{"instances": [[[1]]]}'),
            ("NaN", b'{"instances": [[NaN]]}'),
            ("Infinity", b'{"instances": [[Infinity]]}'),
            ("1e999", b'{"instances": [[1e999]]}'),
            ("-1e999", b'{"instances": [[-1e999]]}'),
            ("a number of 100,000 digits", b'{"instances": [[' + b"9" * 100_000 + b"]]}"),
            ("100,000 brackets", b"[" * 100_000),
            ("100,000 brackets as instances", b'{"instances": ' + b"[" * 100_000),
            ("100,000 objects as instances", b'{"instances": [' + b'{"a":' * 100_000),
            ("100,000 brackets in an unknown member", b'{"x": ' + b"[" * 100_000),
            ("invalid UTF-8", b'{"instances": [{"source_ip": "\xff\xfe"}]}'),
            ("half a surrogate", b'{"instances": [{"source_ip": "\\ud800"}]}'),
            ("a byte order mark", b'\xef\xbb\xbf{"instances": []}'),
            ("null bytes", b"\0" * 1000),
            ("UTF-16", '{"instances": []}'.encode("utf-16")),
            ("a parameter that is no truth value", b'{"instances": [], "parameters": {"partial": "yes"}}'),
            ("parameters that are a list", b'{"instances": [], "parameters": []}'),
            ("an empty flow", b'{"instances": [{}]}'),
            ("flows and vectors", b'{"instances": [' + flow_text.encode() + b", [1]]}"),
            ("an unknown member of a flow", json.dumps({"instances": [flow | {"sourceip": "::1"}]}).encode()),
            ("a member of a flow twice", b'{"instances": [' + flow_text[:-1].encode() + b', "transport": "tcp"}]}'),
            ("two kinds of names", json.dumps({"instances": [flow | {"source.ip": "::1"}]}).encode()),
            ("an address that is none", json.dumps({"instances": [flow | {"source_ip": "1.2.3"}]}).encode()),
            ("a port that is none", json.dumps({"instances": [flow | {"source_port": 65536}]}).encode()),
            ("a negative count", json.dumps({"instances": [flow | {"bytes": -1}]}).encode()),
            ("a count of 2^64", json.dumps({"instances": [flow | {"bytes": 2**64}]}).encode()),
        ]),
        v1_body("too many instances", b'{"instances": [' + b"[]," * 2_000_000 + b"[]]}"),
        v1_body("a gzip bomb", packed, {415}, [("Content-Encoding", "gzip")]),
        v1_body("gzip that is not said to be", packed),
        v1_body("17 MiB", b" " * (17 << 20), {413}),
        Case("v1: 17 MiB in chunks", [chunked, *[chunk(b" " * (1 << 20))] * 17, b"0\r\n\r\n"], {413}),
        # Bodies of v2.
        *(v2_body(title, body) for title, body in [
            ("empty", b""),
            ("cut off", b'{"inputs": [{"name": "X"'),
            ("no inputs", b"{}"),
            ("inputs is empty", b'{"inputs": []}'),
            ("inputs is null", b'{"inputs": null}'),
            ("an input is a list", b'{"inputs": [["X", [1], "FP64", null, [1]]]}'),
            ("100,000 brackets as data",
             b'{"inputs": [{"name": "X", "shape": [1], "datatype": "FP64", "data": ' + b"[" * 100_000),
            ("NaN", b'{"inputs": [{"name": "X", "shape": [1, 1], "datatype": "FP64", "data": [NaN]}]}'),
            ("1e999", b'{"inputs": [{"name": "X", "shape": [1, 1], "datatype": "FP64", "data": [1e999]}]}'),
            ("an unknown output", b'{"outputs": [{"name": "y"}], "inputs": []}'),
            ("an id that is a number", b'{"id": 1, "inputs": []}'),
            ("10,000 inputs", json.dumps({"inputs": [
                {"name": f"x{number}", "shape": [1], "datatype": "FP64", "data": [1]} for number in range(10_000)
            ]}).encode()),
        ]),
        tensor("no name", name=None),
        tensor("no shape", shape=None),
        tensor("no datatype", datatype=None),
        tensor("no data", data=None),
        tensor("another width", shape=[1, 1]),
        tensor("less data than the shape", shape=[1, 5]),
        tensor("a negative shape", shape=[-1, 1]),
        tensor("a fractional shape", shape=[1.5]),
        tensor("a shape of 2^80 elements", shape=[2**40, 2**40], data=[]),
        tensor("a shape of 2^64", shape=[2**64], data=[]),
        tensor("1,000 dimensions", shape=[1] * 1000),
        tensor("ragged data", shape=[2, 1], data=[[1], [2, 3]]),
        tensor("an unknown datatype", datatype="FP65"),
        tensor("FP16 in JSON", datatype="FP16"),
        tensor("a text as number", data=["1"]),
        tensor("a number as text", datatype="BYTES"),
        tensor("a fraction as integer", datatype="INT64", data=[0.5]),
        tensor("256 as UINT8", datatype="UINT8", data=[256]),
        tensor("a flow that is none", datatype="BYTES", data=["{}"]),
        tensor("a flow that is no JSON", datatype="BYTES", data=["flow"]),
        tensor("a flow with something behind", datatype="BYTES", data=[flow_text + "{}"]),
        binary("fewer bytes than the size", {"shape": [1, 1], "parameters": {"binary_data_size": 8}}, b"1234"),
        binary("more bytes than the size", {"shape": [1, 1], "parameters": {"binary_data_size": 8}}, b"1" * 9),
        binary("a size that is not the shape's", {"shape": [1, 2], "parameters": {"binary_data_size": 8}}, b"1" * 8),
        binary("NaN in binary", {"shape": [1, 1], "parameters": {"binary_data_size": 8}}, b"\xff" * 8),
        binary("a size of 2^63", {"shape": [1, 1], "parameters": {"binary_data_size": 2**63}}, b""),
        binary("texts whose lengths lie", {"datatype": "BYTES", "shape": [1],
                                           "parameters": {"binary_data_size": 8}}, b"\xff" * 8),
        binary("a header length beyond the body", {"shape": [1, 1], "data": [1]}, b"", "999999"),
        binary("a header length of 0", {"shape": [1, 1], "data": [1]}, b"", "0"),
        binary("a header length that is none", {"shape": [1, 1], "data": [1]}, b"", "ten"),
        # Paths and methods.
        Case("unknown model, v1", [post("/v1/models/nobody:predict", b"{}")], {404}),
        Case("unknown model, v2", [post("/v2/models/nobody/infer", b"{}")], {404}),
        Case("unknown version", [post(f"/v2/models/{name}/versions/000000000000/infer", b"{}")], {404}),
        Case("unknown verb", [post(f"/v1/models/{name}:explain", b"{}")], {404}),
        Case("unknown path", [request("GET", "/v3")], {404}),
        Case("a path out of the root", [request("GET", "/../../etc/passwd")], {400, 404}),
        Case("a path that is no text", [request("GET", "/v1/models/%ff%00")], {400, 404}),
        Case("GET of predict", [request("GET", v1)], {404, 405}),
        Case("GET of infer", [request("GET", v2)], {405}),
        Case("DELETE of the model", [request("DELETE", f"/v2/models/{name}")], {405}),
        Case("POST of health", [post("/v2/health/ready", b"")], {405}),
        Case("a method that nobody knows", [request("BREW", v2)], {405}),
        Case("load of an unknown model", [post("/v2/repository/models/nobody/load", b"")], {404}),
        Case("a path of 100,000 characters", [request("GET", "/" + "a" * 100_000)], {400, 404, 414, 431, CLOSED},
             told=False),
        # Not quite HTTP.
        Case("a body shorter than its length", [line + b"Content-Length: 100\r\n\r\n{"], {400, 408, CLOSED}, slow=True),
        Case("a length that is none", [line + b"Content-Length: ten\r\n\r\n{}"], none, told=False),
        Case("a negative length", [line + b"Content-Length: -1\r\n\r\n{}"], none, told=False),
        Case("two lengths", [line + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "], none, told=False),
        Case("a length of 2^64", [line + b"Content-Length: 18446744073709551616\r\n\r\n{}"], none, told=False),
        Case("a length of 2^63", [line + b"Content-Length: 9223372036854775808\r\n\r\n{}"], none | {413}, told=False),
        Case("length and chunks", [line + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], none,
             told=False),
        Case("a chunk size that is none", [chunked + b"xyz\r\n{}\r\n0\r\n\r\n"], none, told=False),
        Case("a chunk size of 2^64", [chunked + b"10000000000000000\r\n{}\r\n0\r\n\r\n"], none, told=False),
        Case("chunks that end early", [chunked + b"5\r\n{}"], {400, 408, CLOSED}, slow=True),
        Case("an unknown transfer encoding", [line + b"Transfer-Encoding: gzip\r\n\r\n{}"], none | {501}, told=False),
        Case("100,000 headers", [line + b"".join(b"X-%d: 1\r\n" % n for n in range(100_000)) + b"\r\n"],
             {400, 431, CLOSED}, told=False),
        Case("a header of 1 MiB", [line + b"X: " + b"a" * (1 << 20) + b"\r\n\r\n"], {400, 431, CLOSED}, told=False),
        Case("a header without end", [line + b"X: " + b"a" * (1 << 16)], {400, 408, 431, CLOSED}, told=False, slow=True),
        Case("a slow header", [line, *[b"X: y\r\n"] * 8], {408, CLOSED}, pause=0.5, told=False, slow=True),
        Case("a slow body", [line + b"Content-Length: 8\r\n\r\n", *[b" "] * 7], {408, CLOSED}, pause=1.0, slow=True),
        Case("nothing", [b""], {408, CLOSED}, told=False, slow=True),
        Case("empty lines", [b"\r\n" * 1000], none | {408}, told=False, slow=True),
        Case("another HTTP", [b"GET / HTTP/3.0\r\n\r\n"], none | {505}, told=False),
        Case("HTTP/0.9", [b"GET /\r\n\r\n"], none, told=False),
        Case("HTTP/2", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], none, told=False),
        Case("TLS", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x5a" * 500], none, told=False),
        Case("random bytes", [bytes((n * 7919) % 251 for n in range(5000))], none, told=False),
        Case("a bare line feed in a header", [line + b"X: a\n b\r\n\r\n"], {400, 411, CLOSED}, told=False),
    ]


def post(path, body, headers=()):
    fields = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers]
    return request("POST", path, fields) + body


def request(method, path, headers=()):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


def answers(address, pieces, pause=0.0):
    """Status and body of the answer to what is sent on one connection, or CLOSED."""
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        try:
            for number, piece in enumerate(pieces):
                if number:
                    time.sleep(pause)
                connection.sendall(piece)
        except OSError:
            pass  # an answer may have come nevertheless
        return receive(connection)


def receive(connection):
    received = b""
    try:
        while b"\r\n\r\n" not in received:
            received += (more := connection.recv(65536))
            if not more:
                return CLOSED, received
        head, body = received.split(b"\r\n\r\n", 1)
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(fields.get(b"content-length", 0)):
            body += (more := connection.recv(65536))
            if not more:
                return CLOSED, received
        return int(head.split()[1]), body
    except TimeoutError:
        return "nothing", received
    except OSError:
        return CLOSED, received


if __name__ == "__main__":
    main()
