#!/usr/bin/env python3
"""Run the tests in tests/ and its folders, as many at a time as there are cores: `make check`.

    check.py [-v] [-j N] [--list] [PATTERN...]

A pattern is a part of a test's name, or has * and ? in it. One line is printed as each test ends,
and at the end `N passed, N failed`, with `, N skipped` if some were. The status is 0 only if tests
were run and none failed.

Tests are unittest cases. They run at the same time, but for those of a class with a setUpClass or
of a file with a setUpModule, which run one after the other. A class may say `slow = True` to be
started first, and `needs_build = True` if the kernel must have been built.
"""

import argparse
import fnmatch
import glob
import importlib.util
import os
import re
import signal
import sys
import tempfile
import threading
import time
import traceback
import unittest
from collections import deque

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.run.buildtree import ROOT, BuildError, Tree
from tools.run.child import end_all
from tools.run.tool import SIGNAL_SECONDS, ToolError, make_folder, remove_folder, run_tool

TESTS = os.path.join(ROOT, "tests")

# The tests in this folder, and only these, have the folder before their names.
HOST = "host"

# Failures that speak for themselves: no traceback is shown.
PLAIN_ERRORS = (AssertionError, ToolError)


class Report:
    """Prints one line a test, whichever thread it ran in, and counts."""

    def __init__(self, verbose):
        self.verbose = verbose
        self.passed = self.failed = self.skipped = 0
        self._lock = threading.Lock()

    def add(self, name, seconds, failures=(), skipped=None, note="", transcript=""):
        """A test has ended: failures are texts; skipped is a reason, if it was."""
        with self._lock:
            if failures:
                self.failed += 1
            elif skipped is not None:
                self.skipped += 1
            else:
                self.passed += 1
            word = "FAIL" if failures else "ok" if skipped is None else "skipped"
            print("%s %s (%.1fs%s)" % (word, name, seconds, note))
            for text in [*failures, skipped or "", transcript if self.verbose else ""]:
                if text:
                    print(indent(text))
            sys.stdout.flush()

    def close(self):
        """Print the closing line; return the program's exit status."""
        skipped = ", %d skipped" % self.skipped if self.skipped else ""
        print("%d passed, %d failed%s" % (self.passed, self.failed, skipped))
        return 0 if self.passed and not self.failed else 1


def indent(text):
    """A text, to be shown below a test's name."""
    return "    " + text.rstrip("\n").replace("\n", "\n    ")


def describe(error):
    """What is to be shown of an exception that a test ended with."""
    kind, value, trace = error
    if not issubclass(kind, PLAIN_ERRORS):
        return "".join(traceback.format_exception(kind, value, trace))
    places = [f for f in traceback.extract_tb(trace) if f.filename.startswith(TESTS)]
    place = "%s:%d: " % (os.path.relpath(places[0].filename, ROOT), places[0].lineno) \
        if places else ""
    return place + str(value)


def name_of(case):
    """test_disk in tests/machines/test_boot.py is boot.disk; tests/host/test_libc.py's are
    host.libc.*."""
    module = case.__class__.__module__
    method = getattr(case, "_testMethodName", "")
    return re.sub(r"(^|\.)test_", r"\1", module) + "." + re.sub("^test_", "", method)


class Listener(unittest.TestResult):
    """Tells the report how each test of a suite went."""

    def __init__(self, report):
        super().__init__()
        self.report = report
        self._begin()

    def _begin(self):
        self._started = time.monotonic()
        self._failures = []
        self._skipped = None

    def startTest(self, test):
        super().startTest(test)
        self._begin()

    def addFailure(self, test, err):
        self._failures.append(describe(err))

    def addError(self, test, err):
        self._failures.append(describe(err))
        if not isinstance(test, unittest.TestCase):  # A class's setUpClass, not a test
            self.report.add(str(test), 0, self._failures)
            self._begin()

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._failures.append("%s: %s" % (subtest._subDescription(), describe(err)))

    def addSkip(self, test, reason):
        self._skipped = reason

    def addUnexpectedSuccess(self, test):
        self._failures.append("succeeded, but was expected to fail")

    def stopTest(self, test):
        super().stopTest(test)
        cpus = sorted(getattr(test, "cpus_used", ()))
        note = ", %s CPU%s" % (" and ".join(map(str, cpus)), "s" if cpus[-1] > 1 else "") \
            if cpus else ""
        self.report.add(name_of(test), time.monotonic() - self._started, self._failures,
                        self._skipped, note, "\n".join(getattr(test, "transcripts", ())))


def load_module(path):
    """Import a file of tests as a module whose name its tests' names are made of."""
    folder, file = os.path.split(os.path.relpath(path, TESTS))
    name = (HOST + "." if folder == HOST else "") + os.path.splitext(file)[0]
    if name in sys.modules:
        raise ImportError("another file of tests has the same name")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Where unittest looks for setUpModule
    spec.loader.exec_module(module)
    return module


def load_tests(report):
    """Every test case. A file that cannot be loaded is a failed test."""
    cases = []
    files = glob.glob(os.path.join(TESTS, "test_*.py"))
    files += glob.glob(os.path.join(TESTS, "*", "test_*.py"))
    for file in sorted(files):
        try:
            module = load_module(file)
        except Exception:
            report.add(os.path.relpath(file, ROOT), 0,
                       ["cannot be loaded:\n" + traceback.format_exc()])
            continue
        for item in vars(module).values():
            if (isinstance(item, type) and issubclass(item, unittest.TestCase)
                    and item.__module__ == module.__name__):
                cases += map(item, unittest.defaultTestLoader.getTestCaseNames(item))
    return cases


def wanted(case, patterns):
    """Whether a test's name fits one of the patterns, or there are none."""
    name = name_of(case)
    return not patterns or any(
        fnmatch.fnmatch(name, p) if re.search(r"[*?[]", p) else p in name for p in patterns)


def shared_by(case):
    """What a test shares with others that must run in the same thread: its module, its class, or
    nothing, in which case it is the case itself."""
    kind = case.__class__
    if hasattr(sys.modules[kind.__module__], "setUpModule"):
        return kind.__module__
    if kind.setUpClass.__func__ is not unittest.TestCase.setUpClass.__func__:
        return kind
    return id(case)


def make_units(cases):
    """Group cases into suites, each to be run by one thread, slow ones first."""
    units = {}
    for case in cases:
        units.setdefault(shared_by(case), []).append(case)
    in_order = sorted(units.values(), key=lambda unit: not getattr(unit[0], "slow", False))
    return [unittest.TestSuite(unit) for unit in in_order]


def run_units(units, jobs, report):
    """Run suites in `jobs` threads until there are none left."""
    waiting = deque(units)

    def work():
        while True:
            try:
                unit = waiting.popleft()
            except IndexError:
                return
            unit.run(Listener(report))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    try:
        wait_for_threads(threads)
    except KeyboardInterrupt:
        waiting.clear()
        end_all()
        wait_for_threads(threads)  # Their tests cannot do much any more, without children.
        raise


def wait_for_threads(threads):
    """Wait until all of them have ended. Signals are noticed meanwhile."""
    for thread in threads:
        while thread.is_alive():
            thread.join(SIGNAL_SECONDS)


def build(report):
    """Build the kernel, as the first test. Return whether it went well."""
    started = time.monotonic()
    failures = []
    try:
        tree = Tree()
        tree.build()
        tree.qemu()
    except BuildError as e:
        failures = [str(e)]
    report.add("build", time.monotonic() - started, failures)
    return not failures


def parse_arguments():
    parser = argparse.ArgumentParser(description="Run the tests.")
    parser.add_argument("patterns", nargs="*", metavar="PATTERN",
                        help="run only the tests whose name has this in it")
    parser.add_argument("-v", "--verbose", action="store_true", help="show all output")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
                        help="run N tests at the same time (as many as there are cores)")
    parser.add_argument("--list", action="store_true", help="only print the names")
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error("-j wants a number from 1 up")
    return args


def main():
    args = parse_arguments()
    report = Report(args.verbose)
    cases = [case for case in load_tests(report) if wanted(case, args.patterns)]
    if args.list:
        print("\n".join(map(name_of, cases)))
        return 0
    if args.patterns and not cases:
        print("no test has a name like: " + " ".join(args.patterns), file=sys.stderr)

    # Tests send SIGINT to tools. A command in the background of a script has it ignored, and so would
    # they.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = tempfile.tempdir = make_folder("jos-check-")
    try:
        if any(getattr(case, "needs_build", False) for case in cases) and not build(report):
            cases = [case for case in cases if not getattr(case, "needs_build", False)]
        run_units(make_units(cases), args.jobs, report)
    finally:
        remove_folder(folder)
    return report.close()


if __name__ == "__main__":
    run_tool(main)
