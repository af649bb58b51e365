#!/usr/bin/env python3
"""What compare_sklearn.py accepts and refuses, on made-up numbers: python3 -m unittest discover pipeline/bench"""

import contextlib
import copy
import hashlib
import io
import json
import tempfile
import unittest
from pathlib import Path

import compare_sklearn

SVC_GRID = [
    {"C": 1, "kernel": "rbf"},
    {"C": 1, "kernel": "sigmoid"},
    {"C": 10, "kernel": "rbf"},
    {"C": 10, "kernel": "sigmoid"},
]
SCORES = [[0.90, 0.91, 0.92], [0.50, 0.60, 0.70], [0.93, 0.94, 0.95], [0.40, 0.50, 0.60]]


class Compare(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.run_dir = Path(directory.name) / "run"
        self.record = Path(directory.name) / "2026-03-02-sklearn-sample.jsonl"

        features = self.run_dir / "features"
        features.mkdir(parents=True)
        digests = {}
        for split in ("train", "test"):
            (features / f"{split}.parquet").write_bytes(split.encode())
            digests[f"{split}_sha256"] = hashlib.sha256(split.encode()).hexdigest()

        candidates = [
            {"parameters": parameters, "scores": scores, "mean": sum(scores) / 3}
            for parameters, scores in zip(SVC_GRID, SCORES)
        ]
        self.search = {"format": 1, "candidates": copy.deepcopy(candidates), "best": 2}
        self.trials = {"format": 1, "trials": [trial("default", 920), trial("best", 950)]}
        self.head = {"date": "2026-03-02T08:00:00+00:00", "scikit_learn": "1.9.1"}
        self.reference = {
            "model": "svc",
            "default_accuracy": 920 / 1000,
            "best_accuracy": 950 / 1000,
            "best_parameters": {"C": 10, "kernel": "rbf"},
            "candidates": candidates,
        } | digests

    def compare(self, models="svc"):
        trials = self.run_dir / "trials" / "baseline-svc"
        trials.mkdir(parents=True, exist_ok=True)
        (trials / "search.json").write_text(json.dumps(self.search))
        (trials / "trials.json").write_text(json.dumps(self.trials))
        lines = [self.head, self.reference, {"total_s": 1.0}]
        self.record.write_text("".join(json.dumps(line) + "\n" for line in lines))

        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = compare_sklearn.main([str(self.run_dir), str(self.record), "--models", models])
        return code, out.getvalue() + err.getvalue()

    def test_equal_numbers_pass(self):
        code, output = self.compare()
        self.assertEqual(code, 0, output)
        self.assertIn("All bounds hold.", output)
        self.assertIn("scikit-learn 1.9.1, recorded 2026-03-02T08:00:00+00:00", output)

    def test_whole_numbers_equal_themselves_as_reals(self):
        self.search["candidates"][0]["parameters"] = {"C": 1.0, "kernel": "rbf"}
        self.assertEqual(self.compare()[0], 0)

    def test_a_mean_within_the_bound_passes_and_shows(self):
        self.search["candidates"][0]["mean"] += 0.0019
        code, output = self.compare()
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"svc +4 +0\.00190 +C=1 kernel=rbf")

    def test_a_mean_beyond_the_bound_fails_on_either_side(self):
        for difference in (0.0021, -0.0021):
            with self.subTest(difference):
                self.search["candidates"][0]["mean"] = 0.91 + difference
                code, output = self.compare()
                self.assertEqual(code, 1, output)
                self.assertIn(f"C=1 kernel=rbf: Weir {0.91 + difference:.5f}, scikit-learn 0.91000", output)

    def test_a_mean_that_is_no_number_fails(self):
        self.search["candidates"][0]["mean"] = float("nan")
        self.assertEqual(self.compare()[0], 1)

    def test_a_sigmoid_candidate_beyond_the_bound_is_an_exception(self):
        self.search["candidates"][3]["mean"] += 0.05
        code, output = self.compare()
        self.assertEqual(code, 0, output)
        self.assertIn("Exceptions", output)
        self.assertIn("C=10 kernel=sigmoid: Weir 0.55000, scikit-learn 0.50000 (+0.05000)", output)
        self.assertRegex(output, r"svc +4 +0\.00000")

    def test_a_sigmoid_candidate_within_the_bound_is_no_exception(self):
        self.search["candidates"][3]["mean"] += 0.001
        code, output = self.compare()
        self.assertEqual(code, 0, output)
        self.assertNotIn("Exceptions", output)

    def test_accuracy_on_test_may_differ_by_three_rows_of_a_thousand(self):
        for setting, index, correct in (("default", 0, 920), ("best", 1, 950)):
            with self.subTest(setting):
                self.trials["trials"][index] = trial(setting, correct - 3)
                self.assertEqual(self.compare()[0], 0)
                self.trials["trials"][index] = trial(setting, correct - 4)
                code, output = self.compare()
                self.assertEqual(code, 1, output)
                self.assertIn(f"{setting} accuracy on test differs by more than 0.003", output)
                self.trials["trials"][index] = trial(setting, correct)

    def test_other_best_parameters_are_noted(self):
        self.search["best"] = 0
        code, output = self.compare()
        self.assertEqual(code, 0, output)
        self.assertIn("best differs: Weir C=1 kernel=rbf, scikit-learn C=10 kernel=rbf", output)

    def test_candidates_in_another_order_fail(self):
        self.search["candidates"].reverse()
        self.search["best"] = 1
        code, output = self.compare()
        self.assertEqual(code, 1, output)
        self.assertIn("in another order", output)

    def test_a_missing_candidate_fails(self):
        del self.search["candidates"][3]
        code, output = self.compare()
        self.assertEqual(code, 1, output)
        self.assertIn("only scikit-learn has ['C=10 kernel=sigmoid']", output)

    def test_another_number_of_folds_fails(self):
        self.search["candidates"][0]["scores"].append(0.9)
        code, output = self.compare()
        self.assertEqual(code, 1, output)
        self.assertIn("Weir has 4 folds, scikit-learn 3", output)

    def test_a_missing_trial_fails(self):
        del self.trials["trials"][1]
        code, output = self.compare()
        self.assertEqual(code, 1, output)
        self.assertIn("no trial baseline-svc-best", output)

    def test_a_record_of_other_files_is_refused_with_the_command_that_records_again(self):
        for split in ("train", "test"):
            with self.subTest(split):
                file = self.run_dir / "features" / f"{split}.parquet"
                file.write_bytes(b"other rows")
                code, output = self.compare()
                self.assertEqual(code, 3, output)
                self.assertIn(f"measured on {split}.parquet with SHA-256", output)
                self.assertIn(f"pipeline/bench/record_sklearn.sh {self.run_dir} sample", output)
                file.write_bytes(split.encode())

    def test_a_model_that_was_not_recorded_or_not_trained_is_refused(self):
        code, output = self.compare(models="svc,knn")
        self.assertEqual(code, 3, output)
        self.assertIn("has no numbers for knn", output)
        self.reference["model"] = "knn"
        code, output = self.compare(models="knn")
        self.assertEqual(code, 3, output)
        self.assertIn("search.json", output)

    def test_a_file_of_another_form_is_refused(self):
        del self.reference["candidates"]
        code, output = self.compare()
        self.assertEqual(code, 3, output)
        self.assertIn("has no field 'candidates'", output)

    def test_a_later_format_is_refused(self):
        self.search["format"] = 3
        code, output = self.compare()
        self.assertEqual(code, 3, output)
        self.assertIn("has format 3", output)

    def test_a_search_with_cuts_is_refused(self):
        self.search["format"] = 2
        self.assertEqual(self.compare()[0], 0)
        self.search["candidates"][1]["cut"] = {"rung": 0, "rows": 1000, "reason": "rank"}
        code, output = self.compare()
        self.assertNotEqual(code, 0)
        self.assertIn("candidates that were cut", output)


def trial(setting, correct):
    """A trial of 1,000 rows, `correct` of them right."""
    confusion = {"true_negatives": 600, "false_positives": 1000 - correct, "false_negatives": 0}
    return {"id": f"baseline-svc-{setting}", "confusion": confusion | {"true_positives": correct - 600}}


if __name__ == "__main__":
    unittest.main()
