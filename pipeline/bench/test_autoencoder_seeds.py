#!/usr/bin/env python3
"""What autoencoder_seeds.py runs, records and refuses, with a small stand-in for the weir binary."""

import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path

import autoencoder_seeds

# Notes its arguments and writes what plan.json says; the seed is a small part of every loss, so seeds differ.
STAND_IN = """#!{python}
import json, pathlib, sys
if sys.argv[1] == "--version":
    print("weir 0.0.0")
    sys.exit()
options = dict(zip(sys.argv[2::2], sys.argv[3::2]))
seed, model, here = int(options["--set"].removeprefix("seed=")), options["--model"], pathlib.Path(__file__).parent
plan = json.loads((here / "plan.json").read_text())
if seed == plan.get("fails"):
    sys.exit("error: no memory")
out = pathlib.Path(options["--out"])
out.mkdir(parents=True)
with open(here / "calls", "a") as calls:
    print(*sys.argv[1:-1], file=calls)
final = plan["final"][str(seed)]
loss = [final * plan["fall"] + seed / 1e6] * 6 + [final]
encoder = {{"format": 1, "layers": [10, 10, 8, 6, 8, 10, 10], "loss": loss, "final_loss": final, "dead_units": [3]}}
(out / "encoder.json").write_text(json.dumps(encoder))
wrong = plan["wrong"].get(model, 0)
confusion = {{"true_negatives": 500, "false_positives": wrong, "false_negatives": 0, "true_positives": 500 - wrong}}
trials = [{{"id": f"autoencoder-{{model}}-default", "confusion": confusion}}]
(out / "trials.json").write_text(json.dumps({{"format": 1, "trials": trials}}))
"""


class Seeds(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.here = Path(directory.name)
        self.weir = self.here / "weir"
        self.weir.write_text(STAND_IN.format(python=sys.executable))
        self.weir.chmod(0o755)
        self.features = self.here / "features"
        self.features.mkdir()
        (self.features / "train.parquet").write_bytes(b"rows")
        self.plan = {"final": {"1": 0.001, "2": 0.002, "3": 0.0059}, "fall": 6, "wrong": {}}

    def measure(self):
        (self.here / "plan.json").write_text(json.dumps(self.plan))
        record = self.here / "results" / "seeds.jsonl"
        arguments = [str(self.weir), str(self.features), "--seeds", "1,2,3", "--record", str(record)]
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = autoencoder_seeds.main(arguments)
        return code, out.getvalue(), record

    def test_good_seeds_pass_and_are_recorded(self):
        code, output, record = self.measure()
        self.assertEqual(code, 0, output)
        self.assertIn("median 0.002000, largest 0.005900; 3 dead units in all", output)
        head, *seeds = [json.loads(line) for line in record.read_text().splitlines()]
        self.assertEqual(head["weir"], "weir 0.0.0")
        self.assertIn("--seeds 1,2,3", head["command"])
        self.assertEqual([seed["final_loss"] for seed in seeds], [0.001, 0.002, 0.0059])
        calls = (self.here / "calls").read_text().splitlines()
        self.assertEqual(len(calls), 6)
        options = f"--features {self.features} --model decision-tree --representation autoencoder --set seed=3"
        self.assertEqual(calls[5], f"train {options} --out")

    def test_each_bound_breaks(self):
        for change, message in [
            ({"final": {"1": 0.001, "2": 0.0026, "3": 0.003}}, "median final loss is 0.002600"),
            ({"final": {"1": 0.001, "2": 0.002, "3": 0.0061}}, "seed 3: final loss 0.006100 is above 0.006"),
            ({"fall": 4}, "seed 1: loss of epoch 6 is 4.00 times the final loss, not 5"),
            ({"wrong": {"knn": 11}}, "seed 2: default accuracy of knn is 0.98900, below 0.99"),
        ]:
            with self.subTest(message):
                kept, self.plan = self.plan, self.plan | change
                code, output, _ = self.measure()
                self.assertEqual(code, 1, output)
                self.assertIn(message, output)
                self.plan = kept

    def test_encoders_follow_the_seed_and_nothing_else(self):
        record = {"seed": 1, "loss": [0.01] * 6, "final_loss": 0.001, "default_accuracy": {}, "same_encoder": True}
        self.assertEqual(autoencoder_seeds.broken_bounds([record]), [])
        twice = autoencoder_seeds.broken_bounds([record, record | {"seed": 2}])
        self.assertEqual(twice, ["two seeds have the same losses: the seed is not used"])
        other = autoencoder_seeds.broken_bounds([record | {"same_encoder": False}])
        self.assertEqual(other, ["seed 1: knn and decision-tree got different encoders"])

    def test_a_failed_training_stops_with_its_command_and_words(self):
        self.plan["fails"] = 2
        code, output, record = self.measure()
        self.assertEqual(code, 3, output)
        self.assertIn("seed=2", output)
        self.assertIn("error: no memory", output)
        self.assertFalse(record.exists())


if __name__ == "__main__":
    unittest.main()
