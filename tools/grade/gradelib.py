"""What a grade-labN script is made of: tests that run one user program each, and their report.

    from tools.grade.gradelib import Part, Test, grade
    grade([Part("A", [Test("dumbfork", 5, lines=["0: I am the parent!", ...])])])

A test boots the kernel with one program, on as many CPUs as it says, and waits until the kernel
has nothing left to run and shows its prompt. Each of `lines` is a regular expression that must
match a whole line of what was printed, in any order; none of `no` may match one; and the kernel's
books must balance at the end (kern/check/audit.c).

A test with enough=True is over as soon as all of `lines` have been printed, for a program that
may go on for ever. What is printed later does not count, and the kernel's books are not looked at:
the program is still using the machine.

Tests run at the same time, each in a machine of its own; the report is in the order of the list.
"""

import argparse
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor, TimeoutError as StillRunning

from tools.run.buildtree import Tree
from tools.run.child import ChildError, end_all, last_lines
from tools.run.machine import PROMPT, Machine
from tools.run.tool import SIGNAL_SECONDS, run_tool

LIMIT_SECONDS = 60
COLORS = {"OK": "\033[32m", "FAIL": "\033[31m"}
PLAIN = "\033[0m"


class Test:
    """Run user program `name`; worth `points` if it prints all of `lines` and none of `no`.
    What depends on the number of CPUs is written as a function of it, that returns the lines."""

    def __init__(self, name, points, lines, no=(), cpus=1, limit=LIMIT_SECONDS, enough=False):
        self.name = name
        self.points = points
        self._lines = lines
        self.no = no
        self.cpus = cpus
        self.limit = limit
        self.enough = enough

    def lines(self, cpus):
        """What must be seen on a machine of so many CPUs."""
        return self._lines(cpus) if callable(self._lines) else self._lines


class Part:
    """Tests whose points are added up under a letter."""

    def __init__(self, letter, tests):
        self.letter = letter
        self.tests = tests


class Outcome:
    """How a test went: `complaint` is None if it went well."""

    def __init__(self, complaint, output, seconds):
        self.complaint = complaint
        self.output = output
        self.seconds = seconds


def match(output, lines, no=()):
    """Complaints about an output, as a list of lines: empty if it is as it should be."""
    printed = output.replace("\r", "").split("\n")
    complaints = ["missing: " + regex for regex in lines
                  if not any(re.fullmatch(regex, line) for line in printed)]
    complaints += ["must not appear: " + line for line in printed
                   if any(re.fullmatch(regex, line) for regex in no)]
    return complaints


def check_end(output):
    """Complaints about how a kernel ended, as a list of lines. It must not have panicked; and if
    it shows its prompt, it must have found its books balanced since environments came or went."""
    text = output.replace("\r", "")
    complaints = re.findall(r"(?m)^(?:kernel panic|audit: (?!.* balanced$)).*", text)
    events = re.findall(r"(?m)^audit: .* balanced$|\] (?:new|free) env ", text)
    if re.search(PROMPT, text) and not (events and events[-1].startswith("audit")):
        complaints.append("missing at the end: audit: ... balanced")
    return complaints


def run_until_seen(machine, lines):
    """Wait until each of `lines` has been printed, or the kernel shows its prompt. Return the
    output up to there."""
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
    return Outcome(complaint, output, time.monotonic() - started)


class Report:
    """Prints outcomes and adds up points."""

    def __init__(self, verbose, color):
        self.verbose = verbose
        self.color = color

    def verdict(self, word):
        return COLORS[word] + word + PLAIN if self.color else word

    def show(self, test, outcome):
        """Print how one test went; return the points it gets."""
        word = "FAIL" if outcome.complaint else "OK"
        print("%s: %s (%.1fs)" % (test.name, self.verdict(word), outcome.seconds))
        if outcome.complaint:
            print("    " + outcome.complaint.replace("\n", "\n    "))
        if self.verbose:
            print(last_lines(outcome.output, sys.maxsize))
        sys.stdout.flush()
        return 0 if outcome.complaint else test.points


def result_of(future):
    """The result of a test that runs in another thread. Signals are noticed meanwhile."""
    while True:
        try:
            return future.result(SIGNAL_SECONDS)
        except StillRunning:
            pass


def run_parts(parts, tree, jobs, report):
    """Run every test of every part; return the points reached and the points possible."""
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
    """The parts with only the tests of those names. An unknown name ends the program."""
    known = [test.name for part in parts for test in part.tests]
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit("no such test: %s\nthe tests are: %s" % (" ".join(unknown), " ".join(known)))
    chosen = [Part(p.letter, [t for t in p.tests if t.name in names]) for p in parts]
    return [part for part in chosen if part.tests]


def parse_arguments():
    parser = argparse.ArgumentParser(description="Build, run the tests, and add up the points.")
    parser.add_argument("tests", nargs="*", metavar="NAME", help="run these tests only")
    parser.add_argument("-v", "--verbose", action="store_true", help="show all output")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
                        help="run N tests at the same time (as many as there are cores)")
    parser.add_argument("--color", choices=["auto", "always", "never"], default="auto")
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error("-j wants a number from 1 up")
    return args


def run_grade(parts):
    """Do what the command line says; return the exit status, which is 0 only for full points."""
    args = parse_arguments()
    if args.tests:
        parts = choose(parts, args.tests)
    color = args.color == "always" or (args.color == "auto" and sys.stdout.isatty())
    tree = Tree()
    tree.build()
    tree.qemu()
    tree.objdir()
    reached, possible = run_parts(parts, tree, args.jobs, Report(args.verbose, color))
    print("Score: %d/%d" % (reached, possible))
    return 0 if reached == possible else 1


def grade(parts):
    """The whole program of a grade script: does not return."""
    run_tool(lambda: run_grade(parts))
