"""What serving.py, serving_overload.py and serving_reload.py make of numbers and of answers; no server is needed."""

import json
import struct
import unittest
from collections import Counter

import serving
import serving_overload
from serving_client import Answer, Connection, growth, request_bytes


class Serving(unittest.TestCase):
    def test_bodies_hold_the_same_rows_in_either_protocol(self):
        rows = [[1.0, 2.5], [3.0, 1645795390001.0]]
        self.assertEqual(json.loads(serving.v1_body(rows)[0]), {"instances": rows})
        (tensor,) = json.loads(serving.v2_body(rows)[0])["inputs"]
        self.assertEqual((tensor["shape"], tensor["data"]), ([2, 2], [1.0, 2.5, 3.0, 1645795390001.0]))
        body, length = serving.v2_binary_body(rows)
        (tensor,) = json.loads(body[:length])["inputs"]
        self.assertEqual(tensor["parameters"]["binary_data_size"], len(body) - length)
        self.assertEqual(struct.unpack("<4d", body[length:]), (1.0, 2.5, 3.0, 1645795390001.0))

    def test_ratios_say_how_many_times_better_weir_is(self):
        def line(way, **values):
            return {"family": "knn", "way": way, "measure": "single", "connections": 32} | values

        lines = [line("weir", per_second=speed, p99_us=100) for speed in (900, 1000, 5000)]
        lines += [line("echo", per_second=1250, p99_us=50), line("fastapi", per_second=50, p99_us=4000)]
        weir, echo, fastapi = serving.summarise(lines)["medians"]
        self.assertEqual((weir["per_second"], echo["weir_per_second_ratio"]), (1000, 1000 / 1250))
        self.assertEqual((fastapi["weir_per_second_ratio"], fastapi["weir_p99_us_ratio"]), (20, 40))

    def test_v2_is_compared_with_v2(self):
        lines = [{"family": "svc", "way": way, "measure": "batch", "connections": 4, "per_second": speed}
                 for way, speed in [("weir", 1), ("weir-v2", 700), ("mlserver-v2", 10)]]
        self.assertEqual(serving.summarise(lines)["medians"][2]["weir_per_second_ratio"], 70)


class Overload(unittest.TestCase):
    def test_every_answer_is_counted_as_what_it_is(self):
        def answer(status, head=b"", body=b""):
            return Answer(status, head, body, 0.001)

        shed = b"http/1.1 503 service unavailable\r\nretry-after: 1\r\ncontent-length: 16"
        counts = Counter()
        for found in [
            answer(200, body=b"right"),
            answer(200, body=b"other"),
            answer(503, shed, b'{"error": "full"}'),
            answer(503, b"http/1.1 503 x", b'{"error": "full"}'),
            answer(503, shed, b"{}"),
            answer(500),
            answer(0),
        ]:
            serving_overload.tell(found, b"right", counts)
        self.assertEqual(counts, {"sent": 7, "right": 1, "wrong": 1, "shed": 3, "unexplained": 2, "failed": 2})

    def test_memory_is_compared_after_the_first_quarter(self):
        self.assertEqual(growth([9, 1, 2, 3, 4, 5, 6, 5]), {"memory_early_mb": 3, "memory_late_mb": 6})
        self.assertEqual(growth([2]), {"memory_early_mb": 2, "memory_late_mb": 2})

    def test_an_answer_is_taken_whole_however_it_arrives(self):
        whole = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n[12]"
        for cut in range(1, len(whole)):
            connection, found = Connection(), []
            connection.answer = found.append
            connection.data_received(whole[:cut])
            self.assertEqual(found, [])
            connection.data_received(whole[cut:])
            self.assertEqual([(answer.status, answer.body) for answer in found], [(200, b"[12]")])

    def test_a_request_has_its_length(self):
        head, body = request_bytes("/x", "[12]").split(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"POST /x HTTP/1.1\r\n") and b"Content-Length: 4" in head and body == b"[12]")


if __name__ == "__main__":
    unittest.main()
