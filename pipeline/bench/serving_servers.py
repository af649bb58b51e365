"""Servers on loopback for serving.py and serving_overload.py: started, bound to a CPU, waited for, asked, stopped."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import tempfile
import time

from search_runs import Failed


class Server:
    """A server process. `address` is where it listens; `command` is given the port as its last words say."""

    def __init__(self, name, command, port, cpus=None, environment=None, path="/v2/health/ready"):
        self.name, self.command, self.port, self.cpus = name, command, port, cpus
        self.environment, self.path = environment or {}, path
        self.process = None
        self.ready_ms = None

    def __enter__(self):
        self.output = tempfile.TemporaryFile()
        begin = time.perf_counter()
        with bound_to(self.cpus):
            self.process = subprocess.Popen(
                self.command, stdout=self.output, stderr=self.output, env=os.environ | self.environment
            )
        try:
            self.wait(begin)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def wait(self, begin, timeout=120):
        """Asks until it is ready, at most every quarter of a millisecond."""
        while not answers(self.port, self.path):
            if self.process.poll() is not None:
                raise Failed(f"{self.name} ended with {self.process.returncode}: {self.said()}")
            if time.perf_counter() - begin > timeout:
                raise Failed(f"{self.name} is not ready after {timeout} s: {self.said()}")
            time.sleep(0.00025)
        self.ready_ms = round((time.perf_counter() - begin) * 1000, 2)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()

    def said(self):
        self.output.seek(0)
        return self.output.read().decode(errors="replace").strip()[-2000:]

    def resident_mb(self):
        """Resident memory (MiB) of the process."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return round(next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024, 2)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def cpu_seconds(self):
        """User and system time of the process so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            user, system = file.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def settle(self, timeout=10):
        """Waits until it is idle: a slow server still works on requests that nobody waits for, on the others' CPU."""
        end = time.perf_counter() + timeout
        before = None
        while before != (before := self.cpu_seconds()) and time.perf_counter() < end:
            time.sleep(0.2)

    def ask(self, method, path, body=None, json_length=0):
        """Status and parsed answer of a request on a connection of its own; binary data may follow the JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            length = {"Inference-Header-Content-Length": str(json_length)} if json_length else {}
            connection.request(method, path, body, {"Content-Type": "application/json"} | length)
            answer = connection.getresponse()
            content = answer.read()
        return answer.status, json.loads(content) if content else None


def weir(server, bundle, cpus=None, options=()):
    """Weir's predictor; `server` is the words of its command, such as ["weir", "serve"]."""
    port = free_port()
    return Server("weir", [*server, "--bundle", bundle, "--port", str(port), *options], port, cpus)


def answers(port, path):
    """Whether a GET is answered with 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(request)
            return connection.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def bound_to(cpus):
    """What is started inside inherits the binding."""
    if not cpus:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
