"""What serving_overload.py and serving_reload.py share: keep-alive connections of asyncio with as little Python as can
be per request, rows to send, and what memory has done.
"""

import asyncio
import json
import os
import random
import time
from dataclasses import dataclass


@dataclass
class Answer:
    """What came back; status 0 where the connection broke."""

    status: int
    head: bytes
    body: bytes
    seconds: float


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self):
        self.transport = None
        self.waiting = None
        self.received = bytearray()
        self.begin = 0.0

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, _):
        self.transport = None
        self.answer(Answer(0, b"", b"", time.perf_counter() - self.begin))

    def data_received(self, data):
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.received[:end]).lower()
        start = head.index(b"content-length:") + 15
        length = int(head[start:head.find(b"\r\n", start) % (len(head) + 1)])
        if len(self.received) < end + 4 + length:
            return
        body = bytes(self.received[end + 4:])
        self.received.clear()
        self.answer(Answer(int(head[9:12]), head, body, time.perf_counter() - self.begin))

    def answer(self, answer):
        if self.waiting and not self.waiting.done():
            self.waiting.set_result(answer)

    @property
    def broken(self):
        return self.transport is None or self.transport.is_closing()

    async def post(self, request):
        """Sends the bytes of a request, from `request_bytes`."""
        self.waiting = asyncio.get_running_loop().create_future()
        self.begin = time.perf_counter()
        if self.broken:
            return Answer(0, b"", b"", 0.0)
        self.transport.write(request)
        return await self.waiting

    def close(self):
        if self.transport:
            self.transport.close()


async def connect(port):
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


def request_bytes(path, body):
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def mixed_rows(bundle, rows, often):
    """Lists of vectors that mix the features of the bundle's examples, always the same ones."""
    with open(os.path.join(bundle, "input-example.json"), encoding="utf-8") as file:
        columns = list(zip(*(example["features"] for example in json.load(file)["examples"])))
    chance = random.Random(7)
    return [[[chance.choice(column) for column in columns] for _ in range(rows)] for _ in range(often)]


def growth(sampled):
    """Highest memory in the second and in the last quarter of the time: the first quarter fills buffers."""
    quarter = max(1, len(sampled) // 4)
    return {"memory_early_mb": max(sampled[quarter:2 * quarter] or sampled), "memory_late_mb": max(sampled[-quarter:])}
