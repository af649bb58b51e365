#!/usr/bin/env python3
"""What search_growth.py measures and draws, on made-up numbers: python3 -m unittest discover pipeline/bench"""

import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from unittest import mock

import log_plot
import search_growth
from search_runs import Failed

SVG = "{http://www.w3.org/2000/svg}"


class Scales(unittest.TestCase):
    def test_an_axis_takes_all_values_and_at_least_a_decade(self):
        for values, exponents in (([1, 1000], (-0.1, 3.1)), ([10], (0.4, 1.6)), ([10, 100, 20], (0.9, 2.1))):
            with self.subTest(values):
                for found, expected in zip(log_plot.span(values), exponents):
                    self.assertAlmostEqual(found, expected)

    def test_ticks_are_powers_of_ten_where_there_are_enough(self):
        self.assertEqual(log_plot.ticks(-0.1, 3.1), [1, 10, 100, 1000])
        self.assertEqual(log_plot.ticks(1.2, 2.4), [20, 50, 100, 200])

    def test_equal_ratios_have_equal_distances(self):
        places = [log_plot.place(value, (0, 4), 100, 500) for value in (1, 10, 100, 10_000)]
        self.assertEqual(places, [100, 200, 300, 500])
        self.assertEqual(log_plot.place(10, (0, 2), 300, 100), 200)

    def test_ticks_are_labelled_in_thousands_and_millions(self):
        labels = [log_plot.label(10.0**exponent) for exponent in range(-2, 8)]
        self.assertEqual(labels, ["0.01", "0.1", "1", "10", "100", "1k", "10k", "100k", "1M", "10M"])


class Plot(unittest.TestCase):
    def draw(self, points):
        return ElementTree.fromstring(search_growth.plot(points))

    def test_every_point_is_in_both_panels(self):
        points = [
            {"curve": "knn", "train_rows": rows, "seconds": rows / 1000, "peak_mb": 100} for rows in (1_000, 10_000)
        ]
        drawing = self.draw(points)
        self.assertEqual(len(drawing.findall(f".//{SVG}circle")), 4)
        lines = [line.get("points") for line in drawing.findall(f".//{SVG}polyline")]
        # Seconds 1 to 10 over rows 1k to 10k are on the diagonal of the first panel: a twelfth from each corner.
        self.assertEqual(lines[0], "94.0,292.5 414.0,57.5")

    def test_what_came_to_no_end_is_no_point(self):
        points = [{"curve": "svc", "train_rows": 1_000, "failed": "took longer than 1 s"}]
        self.assertEqual(self.draw(points).findall(f".//{SVG}circle"), [])


class Measure(unittest.TestCase):
    def test_the_histogram_tree_is_beside_the_exact_one(self):
        curves = list(search_growth.curves(["knn", "decision-tree"], 255))
        exact, histogram = curves[1:]
        self.assertEqual(exact, ("decision-tree", "decision-tree", None))
        self.assertEqual(histogram, ("decision-tree-255-bins", "decision-tree", {"max_bins": [255]}))
        self.assertEqual(len(list(search_growth.curves(["knn", "decision-tree"], None))), 2)

    def test_smaller_files_are_heads_of_larger_ones(self):
        with tempfile.TemporaryDirectory() as directory:
            source, target = Path(directory, "all"), Path(directory, "part")
            source.write_text("head\n1\n2\n3\n")
            search_growth.copy_head(source, target, 3)
            self.assertEqual(target.read_text(), "head\n1\n2\n")

    def test_a_curve_ends_where_it_took_too_long_and_svc_at_its_own_limit(self):
        def train(_weir, features, family, *_):
            if family == "knn" and "300" in features:
                raise Failed("took longer than 1 s")
            return {"seconds": 1.0, "peak_mb": 10}

        args = mock.Mock(sizes=[100, 300, 900], families=["svc", "knn"], histogram=None, svc_rows=500)
        with mock.patch.multiple(
            search_growth.search_runs,
            simulate=mock.DEFAULT,
            make_features=mock.DEFAULT,
            rows_of=lambda features: {"train": int(features.rsplit("-", 1)[1]), "test": 1},
            train=train,
        ), mock.patch.multiple(search_growth, copy_head=mock.DEFAULT), mock.patch("shutil.rmtree"):
            points = list(search_growth.measure(args, "folder"))
        ends = {(point["curve"], point["train_rows"]): sorted(point)[1] for point in points if "seconds" not in point}
        self.assertEqual(ends, {("knn", 300): "failed", ("knn", 900): "left_out", ("svc", 900): "left_out"})


if __name__ == "__main__":
    unittest.main()
