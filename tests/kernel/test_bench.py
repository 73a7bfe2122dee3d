"""The cost of each operation in instructions: exact, and within the limits in
tools/measure/budgets.py."""

import json
import re
import subprocess
import unittest

from tests.support import TREE, KernelTest, add_tests
from tools.measure import bench
from tools.measure import benchside
from tools.measure.budgets import OPERATIONS, PROGRAMS

# The limits do not allow for the checks that the compiler adds.
SANITIZED = any(v.startswith("SAN=") and v != "SAN=" for v in TREE.variables)
NO_HISTORY = bench.no_history(TREE)


class BenchTest(KernelTest):
    """One test for each program user/bench/bench*.c that counts instructions."""

    def count(self, program):
        """Run a program. Returns the cost of each of its operations, and the output."""
        self.cpus_used.add(1)
        results, output = bench.count_program(TREE, program)
        self.transcripts.append(output)
        return results, output.replace("\r", "")

    @unittest.skipIf(SANITIZED, "the limits are for a kernel without SAN=1")
    def check(self, program):
        results, output = self.count(program)
        self.assert_lines(output, ["audit: .* balanced"], no=[".*panic.*", "TRAP frame.*"])
        over = ["%s: %.1f instructions, limit %d" % (o.text, results[o.name], o.limit)
                for o in OPERATIONS if o.program == program and results[o.name] > o.limit]
        if over:
            self.fail("\n".join(over))

    def test_every_run_gives_the_same_counts(self):
        # The whole output is the same, even the time at the end.
        for program in ("benchipc", "benchfork"):
            outputs = {self.count(program)[1] for _ in range(2)}
            self.assertEqual(len(outputs), 1)
            self.assertRegex(outputs.pop(), "bench: ends at [1-9]")

    def test_argument_is_the_number_of_repetitions(self):
        output = self.run_kernel("benchnull,700")
        self.assertEqual(re.findall(bench.RESULT, output)[0][2], "700")
        for count in ("0", "-1", "1000001", "x"):
            output = self.run_kernel("benchnull," + count)
            self.assert_lines(output, ["benchnull: %s: must be a number.*" % count],
                              no=["bench: .*"])
    # Times differ from run to run: these tests only check that times are measured.

    def test_time_is_measured(self):
        clock = bench.Clock()
        ticks = clock.time_program(TREE, "benchnull", 10000)
        self.assertGreater(clock.microseconds(min(ticks.values())), 0)

    def test_parallel_programs_are_measured(self):
        self.cpus_used.update((2, 4))
        seconds = benchside.run_seconds(TREE, "benchspin,1 benchspin,1", 2, benchside.BEGINS)
        self.assertGreater(seconds, 0)
        self.assertGreater(benchside.boot_seconds(TREE), 0)
        self.assertEqual(benchside.show_speedup([(3, 2), (1, 1), (6, 3)]),
                         "1.50 times as fast (3.00 s, 2.00 s)")
        self.assertEqual(benchside.show_share([0.5, 0.015, 0.01]), "1.5 % of one")
        self.assertEqual(benchside.show_sieve([(2, 1, 1, 3), (3, 1, 2, 4), (6, 3, 4, 5)]),
                         "1.50 times as fast (1: 3.00 s, 2: 1.00 s, 4: 2.00 s, 8: 4.00 s)")
        self.assertEqual(benchside.SIDES[0].show([(1, 1, 1, 1), None]), "-")


class ToolTest(unittest.TestCase):
    def test_missing_result_is_named(self):
        results = bench.parse_results("x\nbench: null: 423 each (42399 in 100)\r\nbench: y\n")
        self.assertEqual(results, {"null": 423.99})
        self.assertRaisesRegex(bench.BenchError,
                               "^bench: benchnull does not print the cost of: null_int$",
                               bench.check_results, "benchnull", results)

    def test_counts_above_target_and_limit_are_marked(self):
        null = OPERATIONS[0]._replace(budget=70, limit=90)
        for count, mark in ((70, ""), (70.5, "!"), (90, "!"), (90.5, "!!")):
            self.assertEqual(bench.over(null, count), mark)
        self.assertEqual(bench.over(null._replace(budget=None), 80), "")
        self.assertEqual(bench.over(null._replace(budget=None), 91), "!!")

    @unittest.skipIf(NO_HISTORY, "no other revision: %s" % NO_HISTORY)
    def test_unknown_revision_is_an_error(self):
        done = subprocess.run(["make", "-s", "bench", "BASE=no-such-revision"], cwd=TREE.root,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("bench: git knows no revision 'no-such-revision'", done.stderr)


class MakeBenchTest(KernelTest):
    slow = True

    @unittest.skipIf(NO_HISTORY, "no other revision: %s" % NO_HISTORY)
    @unittest.skipIf(SANITIZED, "the limits are for a kernel without SAN=1")
    def test_two_revisions_are_compared(self):
        output = TREE.make("-s", "bench", "BASE=HEAD", "BENCH=--no-time")
        with open(TREE.obj("bench.json"), encoding="utf-8") as f:
            rows = json.load(f)["operations"]
        self.assertEqual([row["name"] for row in rows], [o.name for o in OPERATIONS])
        for row in rows:
            ours, base = (row[key]["instructions"] for key in ("ours", "base"))
            self.assertGreater(base, 10)
            self.assertEqual(row["ratio"]["instructions"], round(base / ours, 3))
            self.assertRegex(output, r"(?m)^%s +%.0f +!? +.* %.0f " % (
                re.escape(row["text"]), ours, base))


add_tests(BenchTest, PROGRAMS)
