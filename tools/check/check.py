#!/usr/bin/env python3
"""Run the tests in tests/ and its folders, one per core at a time: `make check`.

    check.py [-v] [-j N] [--list] [PATTERN...]

A pattern is a part of a test's name, or a file-name pattern with * and ?. Each test prints a line
when it ends. A failed test also prints the last screenful of its machine's output, and the command
that runs it again. The last line is `N passed, N failed`, with `, N skipped` if N is not 0. The
exit status is 0 if no test failed and at least one passed.

Tests are unittest cases. They run in parallel, except that the tests of a class with a setUpClass,
or of a file with a setUpModule, run one after the other. Two attributes of a class are optional:
`slow = True` starts its tests first; `needs_build = True` means that they need the built kernel.
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
from tools.run.child import end_all, last_lines
from tools.run.tool import SIGNAL_SECONDS, ToolError, make_folder, remove_folder, run_tool

TESTS = os.path.join(ROOT, "tests")

# Only the tests in this folder have the folder's name in their names.
HOST = "host"

# Failures whose message is sufficient: print no traceback.
PLAIN_ERRORS = (AssertionError, ToolError)


class Report:
    """Prints a line for each test, and counts the results. Thread-safe."""

    def __init__(self, verbose):
        self.verbose = verbose
        self.passed = self.failed = self.skipped = 0
        self._lock = threading.Lock()

    def add(self, name, seconds, failures=(), skipped=None, note="", transcript=""):
        """Report the end of a test. failures: list of texts; skipped: the reason, or None."""
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
        """Print the last line; return the exit status."""
        skipped = ", %d skipped" % self.skipped if self.skipped else ""
        print("%d passed, %d failed%s" % (self.passed, self.failed, skipped))
        return 0 if self.passed and not self.failed else 1


def indent(text):
    """Indent a text, to print it below the name of a test."""
    return "    " + text.rstrip("\n").replace("\n", "\n    ")


def describe(error):
    """The text to print for an exception that ended a test."""
    kind, value, trace = error
    if not issubclass(kind, PLAIN_ERRORS):
        return "".join(traceback.format_exception(kind, value, trace))
    places = [f for f in traceback.extract_tb(trace) if f.filename.startswith(TESTS)]
    place = "%s:%d: " % (os.path.relpath(places[0].filename, ROOT), places[0].lineno) \
        if places else ""
    return place + str(value)


def name_of(case):
    """The name of a test: test_disk in tests/machines/test_boot.py is boot.disk. The names of the
    tests in tests/host/test_libc.py begin with host.libc."""
    module = case.__class__.__module__
    method = getattr(case, "_testMethodName", "")
    return re.sub(r"(^|\.)test_", r"\1", module) + "." + re.sub("^test_", "", method)


def how_to_repeat(test, failures):
    """What to print below the failures of a test: the end of the output of the machine that was
    started last, unless they show it, and the command that runs the test again."""
    text = ""
    transcripts = getattr(test, "transcripts", ())
    if transcripts and "last lines of output" not in failures:
        text = "last lines of output:\n" + last_lines(transcripts[0]) + "\n"
    return text + "run it again: make check TESTS=" + name_of(test)


class Listener(unittest.TestResult):
    """Passes the result of each test of a suite to the report."""

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
        if not isinstance(test, unittest.TestCase):  # setUpClass has failed.
            self.report.add(str(test), 0, self._failures)
            self._begin()

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._failures.append("%s: %s" % (subtest._subDescription(), describe(err)))

    def addSkip(self, test, reason):
        self._skipped = reason
        if not isinstance(test, unittest.TestCase):  # setUpClass skips the whole class.
            self.report.add(str(test), 0, skipped=reason)
            self._begin()

    def addUnexpectedSuccess(self, test):
        self._failures.append("succeeded, but was expected to fail")

    def stopTest(self, test):
        super().stopTest(test)
        if self._failures:
            self._failures.append(how_to_repeat(test, "\n".join(self._failures)))
        cpus = sorted(getattr(test, "cpus_used", ()))
        note = ", %s CPU%s" % (" and ".join(map(str, cpus)), "s" if cpus[-1] > 1 else "") \
            if cpus else ""
        self.report.add(name_of(test), time.monotonic() - self._started, self._failures,
                        self._skipped, note, "\n".join(getattr(test, "transcripts", ())))


def load_module(path):
    """Import a file of tests. The name of the module becomes a part of the tests' names."""
    folder, file = os.path.split(os.path.relpath(path, TESTS))
    name = (HOST + "." if folder == HOST else "") + os.path.splitext(file)[0]
    if name in sys.modules:
        raise ImportError("another file of tests has the same name")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # unittest looks for setUpModule here.
    spec.loader.exec_module(module)
    return module


def load_tests(report):
    """Return all test cases. Report each file that cannot be loaded as a failed test."""
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


def is_selected(case, patterns):
    """True if the test's name matches a pattern, or if there are no patterns."""
    name = name_of(case)
    return not patterns or any(
        fnmatch.fnmatch(name, p) if re.search(r"[*?[]", p) else p in name for p in patterns)


def unit_key(case):
    """A key that is equal for tests that must run in the same thread, because they share a
    setUpModule or a setUpClass: the module's name, the class, or a value for this test alone."""
    kind = case.__class__
    if hasattr(sys.modules[kind.__module__], "setUpModule"):
        return kind.__module__
    if kind.setUpClass.__func__ is not unittest.TestCase.setUpClass.__func__:
        return kind
    return id(case)


def make_units(cases):
    """Group the tests into suites, the slow ones first. One thread runs all tests of a suite."""
    units = {}
    for case in cases:
        units.setdefault(unit_key(case), []).append(case)
    in_order = sorted(units.values(), key=lambda unit: not getattr(unit[0], "slow", False))
    return [unittest.TestSuite(unit) for unit in in_order]


def run_units(units, jobs, report):
    """Run all suites in `jobs` threads."""
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
        wait_for_threads(threads)  # Without their children, the tests end soon.
        raise


def wait_for_threads(threads):
    """Wait until all threads have ended. Signals are handled during the wait."""
    for thread in threads:
        while thread.is_alive():
            thread.join(SIGNAL_SECONDS)


def build(report):
    """Build the kernel and report the result as a test. Return True if the build succeeded."""
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
                        help="run only the tests with matching names")
    parser.add_argument("-v", "--verbose", action="store_true", help="print all output")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
                        help="run N tests at the same time (default: the number of cores)")
    parser.add_argument("--list", action="store_true", help="only print the names of the tests")
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error("-j needs a number greater than 0")
    return args


def main():
    args = parse_arguments()
    report = Report(args.verbose)
    cases = [case for case in load_tests(report) if is_selected(case, args.patterns)]
    if args.list:
        print("\n".join(map(name_of, cases)))
        return 0
    if args.patterns and not cases:
        print("no test has a name like: " + " ".join(args.patterns), file=sys.stderr)

    # Some tests send SIGINT to tools, which inherit our signal handling. The background commands of
    # a shell script ignore SIGINT: set the default again.
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
