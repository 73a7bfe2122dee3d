"""The library of the grade-labN scripts: tests that each run a user program, and their report.

    from tools.grade.gradelib import Part, Test, grade
    grade([Part("A", [Test("dumbfork", 5, lines=["0: I am the parent!", ...])])])

A test boots the kernel with one program. It waits until no environment can run, and the kernel
prints its monitor's prompt. Then it checks the output:

- each regular expression in `lines` must match a whole line of the output; the order is free;
- no regular expression in `no` may match a whole line;
- the kernel's audit of pages and environments must say "balanced" (kern/check/audit.c).

A test with enough=True is for a program that may not end. It stops as soon as all of `lines` have
been printed. It ignores later output and needs no audit, because the program still runs.

A part also has further checks (class Check). They find mistakes that its tests do not show. They
give no points: a check that fails takes its cost off the points of its part. --mit leaves them out.

Tests run in parallel, each on a separate machine. The report is in the order of the list.
"""

import argparse
import contextlib
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, TimeoutError as StillRunning

from tools.grade import report as files
from tools.grade.cases import Check, Part, Test
from tools.grade.grader import Grader, check_end, match
from tools.grade.scratch import Base, add_options, make_tree
from tools.run.child import end_all, last_lines
from tools.run.tool import SIGNAL_SECONDS, ToolError, run_tool

__all__ = ["Check", "Part", "Test", "check_end", "grade", "match", "result_of"]

COLORS = {"OK": "\033[32m", "FAIL": "\033[31m"}
PLAIN = "\033[0m"


class Report:
    """Prints the outcomes of tests."""

    def __init__(self, verbose, color):
        self.verbose = verbose
        self.color = color
        self.outcomes = {}

    def verdict(self, word):
        return COLORS[word] + word + PLAIN if self.color else word

    def show(self, test, outcome):
        """Print the outcome of a test; return whether it passed."""
        self.outcomes[test] = outcome
        if outcome.complaint or test.shown or self.verbose:
            word = "FAIL" if outcome.complaint else "OK"
            print("%s: %s (%.1fs)" % (test.name, self.verdict(word), outcome.seconds))
        if outcome.complaint:
            print("    " + outcome.complaint.replace("\n", "\n    "))
        if self.verbose:
            print(last_lines(outcome.output, sys.maxsize))
        sys.stdout.flush()
        return not outcome.complaint


def result_of(future):
    """Wait for the result of a test in another thread. Signals are handled during the wait."""
    while True:
        try:
            return future.result(SIGNAL_SECONDS)
        except StillRunning:
            pass


class Score:
    """The points of the parts so far, and the number of tests and checks that failed."""

    def __init__(self):
        self.reached = self.possible = self.failed = 0

    def add(self, part, tests, checks):
        """Print the score of a part. `tests`, `checks`: for each, whether it passed."""
        points = sum(t.points for t, passed in zip(part.tests, tests) if passed)
        total = sum(t.points for t in part.tests)
        costs = sum(c.cost for c, passed in zip(part.checks, checks) if not passed)
        if checks:
            print("%d of %d further checks passed%s" % (sum(checks), len(checks), (
                ": %d points off" % min(costs, points)) if costs and total else ""))
        self.failed += tests.count(False) + checks.count(False)
        points -= min(costs, points)
        if total:
            print("Part %s score: %d/%d" % (part.letter, points, total))
        print()
        self.reached += points
        self.possible += total


def run_parts(parts, grader, jobs, report, fail_fast=False):
    """Run all tests and checks, print the report, return the Score. With fail_fast, return None
    after the first failure, whatever its place in the list."""
    failed = threading.Event()

    def run(test):
        outcome = grader.run(test)
        if outcome.complaint:
            failed.set()
        return outcome

    score = Score()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            running = {test: pool.submit(run, test) for part in parts for test in part.all()}
            if fail_fast and not wait_for_all(running.values(), failed):
                show_failed(running, report)
                end_all()
                return None
            for part in parts:
                score.add(part, *([report.show(test, result_of(running[test])) for test in some]
                                  for some in (part.tests, part.checks)))
        except BaseException:
            end_all()
            raise
    return score


def wait_for_all(futures, failed):
    """Wait until all are done and return True, or until one has failed and return False."""
    while not failed.wait(SIGNAL_SECONDS):
        if all(future.done() for future in futures):
            return not failed.is_set()
    return False


def show_failed(running, report):
    for test, future in running.items():
        if not future.cancel() and future.done() and future.result().complaint:
            report.show(test, future.result())


def choose(parts, names):
    """Return the parts with only the named tests and checks. Exit with a message if a name is
    unknown."""
    known = [test.name for part in parts for test in part.all()]
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit("no such test: %s\nthe tests are: %s" % (" ".join(unknown), " ".join(known)))
    chosen = [Part(p.letter, *([t for t in some if t.name in names]
                               for some in (p.tests, p.checks))) for p in parts]
    return [part for part in chosen if part.all()]


def parse_arguments():
    parser = argparse.ArgumentParser(description="Build, run the tests, and add up the points.")
    parser.add_argument("tests", nargs="*", metavar="NAME", help="run these tests only")
    parser.add_argument("-v", "--verbose", action="store_true", help="print all output")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
                        help="run N tests at the same time (default: the number of cores)")
    parser.add_argument("--color", choices=["auto", "always", "never"], default="auto")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--strict", action="store_true",
                       help="run the further checks too, which cost points (the default)")
    which.add_argument("--mit", action="store_true", help="run only the tests that give points")
    parser.add_argument("--fail-fast", action="store_true", help="stop at the first failure")
    add_options(parser)
    files.add_options(parser)
    args = parser.parse_args()
    if args.timelines and not args.answers:
        parser.error("--timelines needs --answers")
    if args.jobs < 1:
        parser.error("-j needs a number greater than 0")
    return args


def run_booted(parts, grader, args, report):
    """Boot the kernel, then run the tests; return the Score as run_parts does. If the kernel does
    not boot, the tests fail without a run."""
    complaint = grader.boot()
    if complaint:
        print("The kernel does not boot, so no program is run:\n    "
              + complaint.replace("\n", "\n    ") + "\n")
        parts = [Part(part.letter, part.tests) for part in parts]
    return run_parts(parts, grader, args.jobs, report, args.fail_fast and not complaint)


def run_grade(parts):
    """Build, run the tests, print the report. Return the exit status: 0 if all tests passed."""
    args = parse_arguments()
    if args.mit:
        parts = [Part(part.letter, part.tests) for part in parts]
    if args.tests:
        parts = choose(parts, args.tests)
    color = args.color == "always" or (args.color == "auto" and sys.stdout.isatty())
    files.check_options(args)
    if args.base and not args.answers:
        Base(args.base, args.whole).prepare()
        return 0
    report, started, notes = Report(args.verbose, color), time.monotonic(), []
    possible = sum(test.points for part in parts for test in part.tests)

    def write(reached, error=None):
        files.write_reports(args, files.describe(parts, report.outcomes, reached, possible,
                                                 time.monotonic() - started, error, notes))
    with contextlib.ExitStack() as stack:
        try:
            tree = make_tree(args, stack, notes)
            tree.qemu()
            tree.objdir()
        except ToolError as e:
            write(0, str(e))
            if args.answers:
                print("Score: 0/%d" % possible)
            raise
        score = run_booted(parts, Grader(tree), args, report)
        if args.timelines:
            tree.write_timelines([test for test, outcome in report.outcomes.items()
                                  if outcome.complaint], args.timelines)
    if score is None:
        print("\nNo score: stopped at the first failure.")
        write(0, "stopped at the first failure")
        return 1
    write(score.reached)
    print("Score: %d/%d" % (score.reached, score.possible))
    return 1 if score.failed else 0


def grade(parts):
    """The main function of a grade script. Does not return."""
    run_tool(lambda: run_grade(parts))
