#!/usr/bin/env python3
"""What search_cost.py counts, compares and refuses, on made-up numbers: python3 -m unittest discover pipeline/bench"""

import copy
import json
import math
import sys
import tempfile
import unittest

import search_cost
import search_runs
from search_runs import Failed

GRID = [{"C": 1, "kernel": "rbf"}, {"C": 1, "kernel": "sigmoid"}, {"C": 10, "kernel": "rbf"}]
MEANS = [0.92, 0.50, 0.95]


class Agree(unittest.TestCase):
    def setUp(self):
        candidates = [{"parameters": parameters, "mean": mean} for parameters, mean in zip(GRID, MEANS)]
        self.search = {"candidates": copy.deepcopy(candidates), "best": 2}
        self.reference = {"candidates": candidates, "best_parameters": GRID[2]}

    def agree(self, family="svc"):
        return search_cost.agree(family, self.search, self.reference)

    def test_equal_means_agree(self):
        agreement = self.agree()
        self.assertEqual(agreement["failures"] + agreement["exceptions"], [])
        self.assertEqual(agreement["largest_difference"], {"svc rbf": 0, "svc sigmoid": 0})
        self.assertEqual(agreement["best"], "same")

    def test_an_rbf_candidate_may_differ_by_five_rows_of_ten_thousand(self):
        self.search["candidates"][0]["mean"] = 0.9205
        self.assertEqual(self.agree()["failures"], [])
        self.search["candidates"][0]["mean"] = 0.9194
        self.assertEqual(self.agree()["failures"], ["C=1 kernel=rbf: Weir 0.91940, scikit-learn 0.92000"])

    def test_a_sigmoid_candidate_beyond_its_bound_is_an_exception(self):
        self.search["candidates"][1]["mean"] = 0.501
        self.assertEqual(self.agree()["exceptions"], [])
        self.search["candidates"][1]["mean"] = 0.401
        agreement = self.agree()
        self.assertEqual(agreement["exceptions"], ["C=1 kernel=sigmoid: Weir 0.40100, scikit-learn 0.50000"])
        self.assertEqual(agreement["failures"], [])

    def test_a_mean_that_is_no_number_fails(self):
        self.search["candidates"][0]["mean"] = float("nan")
        agreement = self.agree()
        self.assertEqual(len(agreement["failures"]), 1)
        self.assertTrue(math.isnan(agreement["largest_difference"]["svc rbf"]))

    def test_other_families_have_one_bound_each(self):
        for family, bound in (("knn", 0.0005), ("logistic-regression", 0.001), ("decision-tree", 0.001)):
            for difference, failures in ((0.9 * bound, 0), (1.1 * bound, 1)):
                with self.subTest(family, difference=difference):
                    self.search = {"candidates": [{"parameters": {"k": 3}, "mean": 0.9 + difference}], "best": 0}
                    theirs = [{"parameters": {"k": 3}, "mean": 0.9}]
                    self.reference = {"candidates": theirs, "best_parameters": {"k": 3}}
                    agreement = self.agree(family)
                    self.assertEqual(len(agreement["failures"]), failures)
                    self.assertEqual(list(agreement["largest_difference"]), [family])

    def test_another_best_passes_only_when_tied_by_the_means_of_scikit_learn(self):
        self.search["best"] = 0
        self.assertEqual(self.agree()["best"], "another")
        failures = ["best: Weir C=1 kernel=rbf, scikit-learn C=10 kernel=rbf"]
        self.assertEqual(self.agree()["failures"], failures)
        for candidates in (self.search["candidates"], self.reference["candidates"]):
            candidates[0]["mean"] = 0.9495
        agreement = self.agree()
        self.assertEqual((agreement["best"], agreement["failures"]), ("tied", []))

    def test_other_candidates_are_refused(self):
        self.search["candidates"].reverse()
        with self.assertRaisesRegex(Failed, "candidates of svc are not the same"):
            self.agree()


class Summarise(unittest.TestCase):
    RUNS = [
        {"round": number, "family": family, "way": way, "seconds": seconds, "peak_mb": 100 * (number + 1)}
        for family, way, all_seconds in (
            ("knn", "weir", [0.25, 0.5, 0.125]),
            ("knn", "scikit-learn", [5.0, 6.0, 7.0]),
            ("svc", "weir", [8.0, 4.0, 6.0]),
            ("svc", "scikit-learn", [300.0, 360.0, 300.0]),
        )
        for number, seconds in enumerate(all_seconds)
    ]

    def test_a_ratio_is_one_of_medians(self):
        knn = search_cost.summarise(self.RUNS)["families"]["knn"]
        self.assertEqual(knn["median_seconds"], {"weir": 0.25, "scikit_learn": 6.0})
        self.assertEqual(knn["scikit_learn_to_weir"], 24.0)

    def test_the_total_is_the_median_over_the_rounds_of_all_families_together(self):
        total = search_cost.summarise(self.RUNS)["total"]
        # Of 8.25, 4.5, 6.125 and of 305, 366, 307.
        self.assertEqual(total["median_seconds"], {"weir": 6.125, "scikit_learn": 307.0})
        self.assertEqual(total["scikit_learn_to_weir"], 50.1)

    def test_memory_is_the_most_of_any_round(self):
        self.assertEqual(search_cost.summarise(self.RUNS)["total"]["peak_mb"], {"weir": 300, "scikit_learn": 300})

    def test_intelex_is_on_the_side_of_scikit_learn(self):
        runs = [run | {"way": run["way"].replace("learn", "learn-intelex")} for run in self.RUNS]
        self.assertEqual(search_cost.summarise(runs), search_cost.summarise(self.RUNS))


class Runs(unittest.TestCase):
    def test_seconds_are_those_that_weir_measured_from_loaded_matrices_to_results(self):
        parts = {"read": 1.0, "represent": 0.5, "default": 3.0, "search": 4.0, "best": 1.0, "compute": 5.5}
        self.assertEqual(search_runs.computing_seconds(parts), 5.5)

    def test_parts_that_follow_each_other_are_summed_without_reading(self):
        parts = {"read": 1.0, "represent": 0.5, "default": 3.0, "search": 4.0, "best": 1.0}
        self.assertEqual(search_runs.computing_seconds(parts), 8.5)

    def test_a_grid_becomes_settings_in_toml(self):
        grid = {"C": [0.1, 1], "kernel": ["rbf"]}
        words = ["--set", "training.grid.svc.C=[0.1, 1]", "--set", 'training.grid.svc.kernel=["rbf"]']
        self.assertEqual(search_runs.settings("svc", grid), words)

    def test_a_mean_is_found_by_its_parameters(self):
        candidates = [{"parameters": parameters, "mean": mean} for parameters, mean in zip(GRID, MEANS)]
        with tempfile.NamedTemporaryFile("w") as file:
            json.dump({"candidates": candidates}, file)
            file.flush()
            self.assertEqual(search_runs.mean_of(file.name, {"kernel": "sigmoid", "C": 1.0}), 0.50)
            self.assertIsNone(search_runs.mean_of(file.name, {"kernel": "poly", "C": 1.0}))

    def test_a_training_into_a_directory_that_is_there_is_refused(self):
        with self.assertRaisesRegex(Failed, "there already"):
            search_runs.train("weir", "features", "knn", ".", jobs=1)

    def test_a_command_that_fails_or_takes_too_long_says_so(self):
        with self.assertRaisesRegex(Failed, "ended with 3: no such grid"):
            search_runs.run([sys.executable, "-c", "import sys; print('no such grid', file=sys.stderr); sys.exit(3)"])
        with self.assertRaisesRegex(Failed, "took longer than 0.2 s"):
            search_runs.run([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.2)

    def test_a_command_gives_its_output_and_memory(self):
        done = search_runs.run([sys.executable, "-c", "print(6 * 7)"])
        self.assertEqual(done.output, b"42\n")
        self.assertGreater(done.peak_mb, 0)


if __name__ == "__main__":
    unittest.main()
