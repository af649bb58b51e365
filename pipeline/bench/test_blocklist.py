#!/usr/bin/env python3
"""What the original recipe and the grid compute, on made-up logs: python3 -m unittest discover pipeline/bench"""

import os
import tempfile
import unittest

import blocklist_throughput

try:
    import blocklist_article
    import blocklist_grid
except ImportError as error:  # pandas and scikit-learn
    raise unittest.SkipTest(str(error)) from error


def line(address, method="GET", status=200, path="/"):
    return (f'{address} - - [02/Mar/2026:08:00:00 +0000] "{method} {path} HTTP/1.1" {status} 17 "-" '
            '"Mozilla/5.0 (KHTML, like Gecko) a, b"\n')


class Article(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = os.path.join(folder.name, "access.log")

    def write(self, lines):
        with open(self.log, "w", encoding="utf-8") as file:
            file.writelines(lines)

    def test_both_ways_of_reading_give_the_same_groups(self):
        self.write([line("192.0.2.1"), line("192.0.2.1"), line("192.0.2.2", "POST", 303), line("2001:db8::1", path="/a b"),
                    '192.0.2.3 - - [02/Mar/2026:08:00:00 +0000] "-" 408 0 "-" "-"\n',
                    '192.0.2.4 - - [02/Mar/2026:08:00:00 +0000] "\\x16\\x03" 400 157 "-" "-"\n'])
        slow, fast = (blocklist_article.group(read(self.log))
                      for read in (blocklist_article.read_as_written, blocklist_article.read_fast))
        self.assertEqual(slow.values.tolist(), fast.values.tolist())
        self.assertIn(["192.0.2.1", "GET", "200", 2], fast.values.tolist())
        self.assertNotIn("192.0.2.3", set(fast["IP_Address"]), "no method")

    def test_one_of_the_two_clusters_is_blocked_whoever_is_in_it(self):
        self.write([line("192.0.2.9")] * 500 + [line(f"192.0.2.{host}") for host in range(1, 7)])
        blocked = blocklist_article.blocked(blocklist_article.group(blocklist_article.read_fast(self.log)))
        innocents = [f"192.0.2.{host}" for host in range(1, 7)]
        self.assertIn(blocked, (["192.0.2.9"], innocents))

    def test_an_address_within_another_is_taken_for_present(self):
        self.assertEqual(blocklist_article.append(["192.0.2.11", "192.0.2.1", "192.0.2.2", "192.0.2.2"]),
                         ["192.0.2.11", "192.0.2.2"])

    def test_fewer_groups_than_clusters_end_the_recipe(self):
        self.write([line("192.0.2.1")])
        with self.assertRaises(ValueError):
            blocklist_article.blocked(blocklist_article.group(blocklist_article.read_fast(self.log)))
        self.assertEqual(blocklist_grid.article(self.log)["listed"], [])


class Grid(unittest.TestCase):
    def test_precision_and_recall_are_shares_of_counts(self):
        score = blocklist_grid.score(["a", "b", "c"], ["b", "c", "d", "e", "f"])
        self.assertEqual(score, {"right": 2, "wrong": 1, "missed": 3})
        self.assertEqual((blocklist_grid.precision(score), blocklist_grid.recall(score)), (2 / 3, 2 / 5))

    def test_nobody_listed_has_no_precision_and_no_attack_no_recall(self):
        self.assertIsNone(blocklist_grid.precision(blocklist_grid.score([], ["a"])))
        self.assertIsNone(blocklist_grid.recall(blocklist_grid.score(["a"], [])))

    def test_floods_last_a_minute_and_slow_attacks_as_long_as_the_log(self):
        self.assertEqual(blocklist_grid.plans("mixed", 1000), [
            "random-url:5:50:60", "same-url:5:20:60", "valid-pages:5:50:60", "slow:5:0.3:100.0:0"])

    def test_the_table_has_a_line_per_attack_and_size_over_all_seeds(self):
        def row(weir, article):
            return {"attack": "a", "ordinary": 1000, "attackers": 2, "weir": {**weir, "spared": 1}, "article": article}
        rows = [row({"right": 2, "wrong": 0, "missed": 0}, {"right": 1, "wrong": 3, "missed": 1}),
                row({"right": 1, "wrong": 0, "missed": 1}, {"right": 0, "wrong": 0, "missed": 2})]
        lines = blocklist_grid.table(rows).splitlines()
        self.assertEqual(lines[2:], ["| a | 1,000 | 4 | 1.00 | 0.75 | 0 | 2 | 0.25 | 0.25 | 3 |"])
        summary = blocklist_grid.summary(rows)
        self.assertEqual(summary["floods article"]["logs_with_innocents_listed"], 1)
        self.assertEqual(summary["floods weir"]["mean_recall_of_a_log"], (2 / 2 + 1 / 2) / 2)
        self.assertEqual(summary["none weir"]["logs"], 0)


class Throughput(unittest.TestCase):
    @staticmethod
    def result(lines, seconds, cpu=1.0, peak=50):
        return {"lines": lines, "seconds": seconds, "cpu_seconds": cpu, "peak_mb": peak}

    def test_ratios_are_medians_of_what_is_compared_within_a_round(self):
        rounds = [{"weir": self.result(1000, 1, 2), "goaccess": self.result(1000, goaccess, 30), "one thread": self.result(1000, 2),
                   "small": self.result(100, 1, peak=40)} for goaccess in (4, 6, 30)]
        rounds[0]["article"] = self.result(10, 0.5)
        found = blocklist_throughput.ratios(rounds)
        self.assertEqual(found["weir_to_goaccess"], 6)
        self.assertEqual(found["weir_to_goaccess_one_thread"], 3)
        self.assertEqual(found["weir_to_goaccess_cpu"], 15)
        self.assertEqual(found["memory_large_to_small"], 1.25)
        self.assertEqual(found["weir_to_article"], 50, "1,000 lines per second to 20")

    def test_without_the_recipe_nothing_is_compared_with_it(self):
        one = {way: self.result(10, 1) for way in ("weir", "goaccess", "one thread", "small")}
        self.assertNotIn("weir_to_article", blocklist_throughput.ratios([one]))


if __name__ == "__main__":
    unittest.main()
