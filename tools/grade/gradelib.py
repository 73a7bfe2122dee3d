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

Tests run in parallel, each on a separate machine. The report is in the order of the list.
"""

import argparse
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor, TimeoutError as StillRunning

from tools.grade import report as files
from tools.run.buildtree import Tree
from tools.run.child import ChildError, end_all, last_lines
from tools.run.machine import PROMPT, Machine
from tools.run.tool import SIGNAL_SECONDS, ToolError, run_tool

LIMIT_SECONDS = 60
COLORS = {"OK": "\033[32m", "FAIL": "\033[31m"}
PLAIN = "\033[0m"


class Test:
    """Run user program `name`. The test gives `points` if the program prints all of `lines` and
    none of `no`. Lines that depend on the number of CPUs are given as a function: cpus -> lines."""

    def __init__(self, name, points, lines, no=(), cpus=1, limit=LIMIT_SECONDS, enough=False):
        self.name = name
        self.points = points
        self._lines = lines
        self.no = no
        self.cpus = cpus
        self.limit = limit
        self.enough = enough

    def lines(self, cpus):
        """The lines that must be printed on a machine with this number of CPUs."""
        return self._lines(cpus) if callable(self._lines) else self._lines


class Part:
    """A part of the lab, named by a letter, with its tests."""

    def __init__(self, letter, tests):
        self.letter = letter
        self.tests = tests


class Outcome:
    """The result of a test. `complaint` is None if the test passed."""

    def __init__(self, complaint, output, seconds):
        self.complaint = complaint
        self.output = output
        self.seconds = seconds


def match(output, lines, no=()):
    """Compare an output with `lines` and `no`. Return the errors as a list of lines."""
    printed = output.replace("\r", "").split("\n")
    complaints = ["missing: " + regex for regex in lines
                  if not any(re.fullmatch(regex, line) for line in printed)]
    complaints += ["must not appear: " + line for line in printed
                   if any(re.fullmatch(regex, line) for regex in no)]
    return complaints


def check_end(output):
    """Check how a run ended; return the errors as a list of lines. The kernel must not have
    panicked. If it printed its prompt, the last audit must be balanced, and later than the last
    new or freed environment."""
    text = output.replace("\r", "")
    complaints = re.findall(r"(?m)^(?:kernel panic|audit: (?!.* balanced$)).*", text)
    events = re.findall(r"(?m)^audit: .* balanced$|\] (?:new|free) env ", text)
    if re.search(PROMPT, text) and not (events and events[-1].startswith("audit")):
        complaints.append("missing at the end: audit: ... balanced")
    return complaints


def run_until_seen(machine, lines):
    """Wait until all of `lines` have been printed, or the prompt. Return the output up to this
    point."""
    end = 0
    for regex in lines:
        found = machine.wait_for(r"(?m)^(?:%s)\r?\n|%s" % (regex, PROMPT))
        end = max(end, found.end())
        if re.match(PROMPT, found.group()):
            break
    return machine.output[:end]


def run_test(test, tree):
    """Run one test; return its Outcome."""
    started = time.monotonic()
    output = ""
    try:
        with Machine(tree.qemu(), disk=tree.disk_image(test.name), cpus=test.cpus,
                     limit=test.limit) as machine:
            try:
                if test.enough:
                    output = run_until_seen(machine, test.lines(test.cpus))
                else:
                    output = machine.run_to_prompt()
            except ChildError:
                output = machine.output
                raise
        complaints = match(output, test.lines(test.cpus), test.no) + check_end(output)
        if complaints:
            complaints += ["last lines of output:", last_lines(output)]
        complaint = "\n".join(complaints) or None
    except ChildError as e:
        complaint = str(e)
    if complaint:
        complaint += "\nrun it again: make run-%s-nox CPUS=%d" % (test.name, test.cpus)
    return Outcome(complaint, output, time.monotonic() - started)


class Report:
    """Prints the outcomes of tests."""

    def __init__(self, verbose, color):
        self.verbose = verbose
        self.color = color
        self.outcomes = {}

    def verdict(self, word):
        return COLORS[word] + word + PLAIN if self.color else word

    def show(self, test, outcome):
        """Print the outcome of a test; return its points."""
        self.outcomes[test] = outcome
        word = "FAIL" if outcome.complaint else "OK"
        print("%s: %s (%.1fs)" % (test.name, self.verdict(word), outcome.seconds))
        if outcome.complaint:
            print("    " + outcome.complaint.replace("\n", "\n    "))
        if self.verbose:
            print(last_lines(outcome.output, sys.maxsize))
        sys.stdout.flush()
        return 0 if outcome.complaint else test.points


def result_of(future):
    """Wait for the result of a test in another thread. Signals are handled during the wait."""
    while True:
        try:
            return future.result(SIGNAL_SECONDS)
        except StillRunning:
            pass


def run_parts(parts, tree, jobs, report):
    """Run all tests of all parts; return (points reached, points possible)."""
    reached = possible = 0
    with ThreadPoolExecutor(jobs) as pool:
        try:
            running = {test: pool.submit(run_test, test, tree)
                       for part in parts for test in part.tests}
            for part in parts:
                points = sum(report.show(test, result_of(running[test])) for test in part.tests)
                total = sum(test.points for test in part.tests)
                print("Part %s score: %d/%d" % (part.letter, points, total))
                print()
                reached += points
                possible += total
        except BaseException:
            end_all()
            raise
    return reached, possible


def choose(parts, names):
    """Return the parts with only the named tests. Exit with a message if a name is unknown."""
    known = [test.name for part in parts for test in part.tests]
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit("no such test: %s\nthe tests are: %s" % (" ".join(unknown), " ".join(known)))
    chosen = [Part(p.letter, [t for t in p.tests if t.name in names]) for p in parts]
    return [part for part in chosen if part.tests]


def parse_arguments():
    parser = argparse.ArgumentParser(description="Build, run the tests, and add up the points.")
    parser.add_argument("tests", nargs="*", metavar="NAME", help="run these tests only")
    parser.add_argument("-v", "--verbose", action="store_true", help="print all output")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
                        help="run N tests at the same time (default: the number of cores)")
    parser.add_argument("--color", choices=["auto", "always", "never"], default="auto")
    files.add_options(parser)
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error("-j needs a number greater than 0")
    return args


def run_grade(parts):
    """Build, run the tests, print the report. Return the exit status: 0 for full points."""
    args = parse_arguments()
    if args.tests:
        parts = choose(parts, args.tests)
    color = args.color == "always" or (args.color == "auto" and sys.stdout.isatty())
    files.check_options(args)
    report, started = Report(args.verbose, color), time.monotonic()

    def write(reached, possible, error=None):
        files.write_reports(args, files.describe(parts, report.outcomes, reached, possible,
                                                 time.monotonic() - started, error))
    try:
        tree = Tree()
        tree.build()
        tree.qemu()
        tree.objdir()
    except ToolError as e:
        write(0, sum(test.points for part in parts for test in part.tests), str(e))
        raise
    reached, possible = run_parts(parts, tree, args.jobs, report)
    write(reached, possible)
    print("Score: %d/%d" % (reached, possible))
    return 0 if reached == possible else 1


def grade(parts):
    """The main function of a grade script. Does not return."""
    run_tool(lambda: run_grade(parts))
