#!/usr/bin/env python3
"""Mutation testing: put known mistakes into the source, one at a time, and check that the tests
fail: `make mutants`.

    mutants.py [-j N] [-v] [--check] [--list] [WHICH...]

The mistakes are in tests/mutants.txt, which also describes the format. WHICH selects some of them,
by number (12), range (10-40), or part of a file's name (kern/ipc.c). Each of N jobs works in a copy
of the tree. First, the tests of all selected mistakes must pass. Then, for each mistake, the tool
changes the source, builds the kernel, runs the mistake's tests and prints a line:

    caught        a test failed
    SURVIVED      all tests passed
    NO MATCH      the text to change is not in the source, or is there more than once
    NO BUILD      the build failed
    equivalent    not tried: the list says why the change makes no difference

A mistake that makes the kernel hang counts as caught: the test fails at its time limit. The exit
status is 0 if no mistake survived, and all could be applied and built. --check only checks that all
mistakes can be applied; -v shows how the tests failed.
"""

import argparse
import os
import re
import sys
import threading

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.run.buildtree import ROOT, BuildError, Tree, clean_environment
from tools.run.child import Child, end_all
from tools.run.tool import SIGNAL_SECONDS, run_tool

LIST = os.path.join(ROOT, "tests", "mutants.txt")
RUN_SECONDS = 3600  # For all tests of a mistake. Each test also has its own, shorter limit.


class ListError(Exception):
    """The list has a wrong format, or a mistake cannot be applied to the source."""


def function_span(source, function):
    """(start, end) of a function, or of the whole source if `function` is None. The function's name
    and its last brace are at the start of a line. Raise ListError if it is not there."""
    if function is None:
        return 0, len(source)
    found = re.search(r"(?m)^%s\((?s:.*?)^}" % function, source)
    if not found:
        raise ListError("no function %s in that file" % function)
    return found.span()


class Mutant:
    """A mistake. `function`: the function to change, or None for anywhere in the file."""

    def __init__(self, number, file, title):
        self.number = number
        self.file = file
        self.title = title
        found = re.match(r"(\w+): ", title)
        self.function = found.group(1) if found else None
        self.old = self.new = self.equivalent = None
        self.tests = []

    def __str__(self):
        return "%3d %s: %s" % (self.number, self.file, self.title)

    def apply(self, source):
        """Return the changed source. Raise ListError unless the old text is there exactly once."""
        try:
            start, end = function_span(source, self.function)
        except ListError as e:
            raise ListError("%s\n    %s" % (self, e)) from None
        part = source[start:end]
        count = part.count(self.old)
        if count != 1:
            raise ListError("%s\n    is %s: %s" % (
                self, "not there" if count == 0 else "there %d times" % count, self.old))
        return source[:start] + part.replace(self.old, self.new) + source[end:]


def parse(text):
    """Return the mistakes in a list, in order."""
    mutants, file = [], None
    lines = [line for line in text.split("\n") if not line.startswith("#")]
    for block in re.split(r"\n{2,}", "\n".join(lines).strip("\n")):
        heading = re.fullmatch(r"\[(.+)\]", block)
        if heading:
            file = heading.group(1)
            continue
        title, *rest = block.split("\n")
        mutant = Mutant(len(mutants) + 1, file, title)
        for line in rest:
            kind, _, value = line.partition(" ")
            if kind == "-" and mutant.old is None:
                mutant.old = value
            elif kind == "+" and mutant.new is None:
                mutant.new = value
            elif kind == ">" and value.strip():
                mutant.tests += value.split()
            elif kind == "=" and value:
                mutant.equivalent = value
            else:
                raise ListError("%s\n    cannot be read: %s" % (mutant, line))
        if None in (file, mutant.old, mutant.new) or bool(mutant.tests) == bool(mutant.equivalent):
            raise ListError("%s\n    needs a [file] above, -, +, and either > or =" % mutant)
        if mutant.old == mutant.new:
            raise ListError("%s\n    changes nothing" % mutant)
        mutants.append(mutant)
    return mutants


def read_list():
    with open(LIST, encoding="utf-8") as f:
        return parse(f.read())


def check_list(mutants, root=ROOT):
    """Return an error message for each mistake that cannot be applied."""
    errors = []
    for mutant in mutants:
        try:
            with open(os.path.join(root, mutant.file), encoding="utf-8") as f:
                mutant.apply(f.read())
        except (OSError, ListError) as e:
            errors.append(str(e))
    return errors


def select(mutants, words):
    """The mistakes that the words select, or all mistakes if there are no words."""
    chosen = []
    for word in words:
        numbers = re.fullmatch(r"(\d+)(?:-(\d+))?", word)
        if numbers:
            first, last = int(numbers.group(1)), int(numbers.group(2) or numbers.group(1))
            found = [m for m in mutants if first <= m.number <= last]
        else:
            found = [m for m in mutants if word in m.file]
        if not found:
            raise ListError("no mistake matches %s" % word)
        chosen += found
    return [m for m in mutants if m in chosen] if words else mutants


def run_tests(tree, tests):
    """Run tests in a copy of the tree. Return (names of the tests that failed, all output). Raise
    BuildError if the build failed."""
    with Child([sys.executable, "tools/check/check.py", "-j1", *tests], name="check.py",
               cwd=tree.root, limit=RUN_SECONDS, env=clean_environment(), merge=True,
               tool=True) as child:
        child.wait_for_end()
        output = child.output
    failed = re.findall(r"(?m)^FAIL (\S+)", output)
    if "build" in failed or not re.search(r"(?m)^\d+ passed, \d+ failed", output):
        raise BuildError(output)
    return failed, output


def try_mutant(tree, mutant, verbose):
    """Apply a mistake to a copy of the tree and run its tests. Return (result, further text)."""
    path = tree.path(*mutant.file.split("/"))
    with open(path, encoding="utf-8") as f:
        source = f.read()
    try:
        changed = mutant.apply(source)
    except ListError:
        return "NO MATCH", ""
    try:
        with open(path, "w", encoding="utf-8") as f:
            f.write(changed)
        failed, output = run_tests(tree, mutant.tests)
    except BuildError as e:
        return "NO BUILD", "\n" + str(e)
    finally:
        with open(path, "w", encoding="utf-8") as f:
            f.write(source)
    if not failed:
        return "SURVIVED", ""
    return "caught", " (%s)" % failed[0] + ("\n" + output if verbose else "")


class Run:
    """A list of mistakes to try, and the number of each result. Thread-safe."""

    def __init__(self, mutants, verbose):
        self._verbose = verbose
        self._waiting = list(mutants)
        self._lock = threading.Lock()
        self.counts = {}

    def _next(self):
        with self._lock:
            return self._waiting.pop(0) if self._waiting else None

    def _report(self, mutant, result, text):
        with self._lock:
            self.counts[result] = self.counts.get(result, 0) + 1
            print("%-10s %s%s" % (result, mutant, text), flush=True)

    def work(self, tree):
        """Try mistakes in a copy of the tree until none are left."""
        while True:
            mutant = self._next()
            if mutant is None:
                return
            if mutant.equivalent:
                self._report(mutant, "equivalent", "")
            else:
                self._report(mutant, *try_mutant(tree, mutant, self._verbose))


def work_in_threads(work, trees):
    """Call work(tree) for each tree, each in a thread of its own, and wait for all. Signals are
    handled during the wait."""
    threads = [threading.Thread(target=work, args=(tree,), daemon=True) for tree in trees]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(SIGNAL_SECONDS)


def try_all(mutants, jobs, verbose):
    """Try the mistakes in copies of the tree; print the results. Return the exit status."""
    trees = []
    try:
        trees = [Tree().copy_built() for _ in range(min(jobs, len(mutants)))]
        failed, output = run_tests(trees[0], sorted({test for m in mutants for test in m.tests}))
        if failed:
            print(output + "These tests fail without a mistake: " + " ".join(failed))
            return 1
        run = Run(mutants, verbose)
        work_in_threads(run.work, trees)
    except BaseException:
        end_all()
        raise
    finally:
        for tree in trees:
            tree.remove()
    equivalent = run.counts.pop("equivalent", 0)
    tried, caught = sum(run.counts.values()), run.counts.get("caught", 0)
    print("%d of %d caught; %d equivalent, not tried" % (caught, tried, equivalent))
    return 0 if caught == tried else 1


def main():
    parser = argparse.ArgumentParser(description="Check that the tests find known mistakes.")
    parser.add_argument("which", nargs="*", metavar="WHICH",
                        help="try only these mistakes: 12, 10-40 or kern/ipc.c")
    parser.add_argument("-j", "--jobs", type=int, default=1, metavar="N",
                        help="try N mistakes at the same time (default: 1)")
    parser.add_argument("-v", "--verbose", action="store_true", help="show how tests failed")
    parser.add_argument("--check", action="store_true", help="only check that all can be applied")
    parser.add_argument("--list", action="store_true", help="only print the mistakes")
    args = parser.parse_args()
    try:
        mutants = select(read_list(), args.which)
    except ListError as e:
        parser.error(str(e))
    if args.list:
        print("\n".join(map(str, mutants)))
        return 0
    if args.check:
        errors = check_list(mutants)
        print("\n".join(errors + ["%d mistakes, %d cannot be applied"
                                  % (len(mutants), len(errors))]))
        return 1 if errors else 0
    return try_all(mutants, max(args.jobs, 1), args.verbose)


if __name__ == "__main__":
    run_tool(main)
