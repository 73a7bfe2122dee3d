#!/usr/bin/env python3
"""Put known mistakes into the source, one at a time, and see that the tests find each:
`make mutants`.

    mutants.py [-j N] [-v] [--check] [--list] [WHICH...]

The mistakes are in tests/mutants.txt, whose head says how they are written. WHICH selects some of
them: numbers (12), ranges (10-40), or parts of a file's name (kern/ipc.c). All is done in copies of
the tree, one for each of N jobs: first the tests that are named run without a mistake, and must
pass; then each mistake is made, the tree built, and the mistake's own tests run. One line is printed
for each mistake:

    caught        a test failed
    SURVIVED      all its tests passed
    NO MATCH      the line to be changed is not there, or is there more than once
    NO BUILD      the compiler refuses the change
    equivalent    not tried: the list says why it makes no difference

A mistake that makes the kernel hang is caught when a test's own time limit ends it. The status is 0
if all that were tried were caught. --check only looks whether each mistake still applies; -v shows how the tests failed.
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
RUN_SECONDS = 3600  # For the tests of one mistake: each has its own limit, which comes first.


class ListError(Exception):
    """The list is not written as it must be, or does not fit the source."""


class Mutant:
    """A mistake. `function` is where it is made, or None: anywhere in the file."""

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
        """The source with the mistake in it. ListError if it does not apply exactly once."""
        start, end = self._find_function(source)
        part = source[start:end]
        count = part.count(self.old)
        if count != 1:
            raise ListError("%s\n    is %s: %s" % (
                self, "not there" if count == 0 else "there %d times" % count, self.old))
        return source[:start] + part.replace(self.old, self.new) + source[end:]

    def _find_function(self, source):
        """From where to where the function goes: its name begins a line, as does its last brace."""
        if self.function is None:
            return 0, len(source)
        found = re.search(r"(?m)^%s\((?s:.*?)^}" % self.function, source)
        if not found:
            raise ListError("%s\n    no function %s in that file" % (self, self.function))
        return found.span()


def parse(text):
    """The mistakes of a list, in order."""
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
            raise ListError("%s\n    wants a [file] above, -, +, and either > or =" % mutant)
        if mutant.old == mutant.new:
            raise ListError("%s\n    changes nothing" % mutant)
        mutants.append(mutant)
    return mutants


def read_list():
    with open(LIST, encoding="utf-8") as f:
        return parse(f.read())


def check_list(mutants, root=ROOT):
    """What is wrong with a list: one text for each mistake that does not apply."""
    wrong = []
    for mutant in mutants:
        try:
            with open(os.path.join(root, mutant.file), encoding="utf-8") as f:
                mutant.apply(f.read())
        except (OSError, ListError) as e:
            wrong.append(str(e))
    return wrong


def select(mutants, words):
    """Those that the words select; all if there are none."""
    chosen = []
    for word in words:
        numbers = re.fullmatch(r"(\d+)(?:-(\d+))?", word)
        if numbers:
            first, last = int(numbers.group(1)), int(numbers.group(2) or numbers.group(1))
            found = [m for m in mutants if first <= m.number <= last]
        else:
            found = [m for m in mutants if word in m.file]
        if not found:
            raise ListError("no mistake is called %s" % word)
        chosen += found
    return [m for m in mutants if m in chosen] if words else mutants


def run_tests(tree, tests):
    """Run tests in a copy. The names of those that failed, and all that was said. BuildError if it
    cannot be built."""
    with Child([sys.executable, "tools/check/check.py", "-j1", *tests], name="check.py",
               cwd=tree.root, limit=RUN_SECONDS, env=clean_environment(), merge=True,
               tool=True) as child:
        child.wait_for_end()
        said = child.output
    failed = re.findall(r"(?m)^FAIL (\S+)", said)
    if "build" in failed or not re.search(r"(?m)^\d+ passed, \d+ failed", said):
        raise BuildError(said)
    return failed, said


def try_mutant(tree, mutant, verbose):
    """Make a mistake in a copy, and see what its tests say. Returns a word, and what to add."""
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
        failed, said = run_tests(tree, mutant.tests)
    except BuildError as e:
        return "NO BUILD", "\n" + str(e)
    finally:
        with open(path, "w", encoding="utf-8") as f:
            f.write(source)
    if not failed:
        return "SURVIVED", ""
    return "caught", " (%s)" % failed[0] + ("\n" + said if verbose else "")


class Run:
    """Mistakes to be tried, and how that went."""

    def __init__(self, mutants, verbose):
        self._verbose = verbose
        self._waiting = list(mutants)
        self._lock = threading.Lock()
        self.counts = {}

    def _next(self):
        with self._lock:
            return self._waiting.pop(0) if self._waiting else None

    def _report(self, mutant, word, more):
        with self._lock:
            self.counts[word] = self.counts.get(word, 0) + 1
            print("%-10s %s%s" % (word, mutant, more), flush=True)

    def work(self, tree):
        """Try what is left, in one copy of the tree."""
        while True:
            mutant = self._next()
            if mutant is None:
                return
            if mutant.equivalent:
                self._report(mutant, "equivalent", "")
            else:
                self._report(mutant, *try_mutant(tree, mutant, self._verbose))


def try_all(mutants, jobs, verbose):
    """Try them in copies of the tree, and print what came of it. Returns the exit status."""
    trees = []
    try:
        trees = [Tree().copy_built() for _ in range(min(jobs, len(mutants)))]
        failed, said = run_tests(trees[0], sorted({test for m in mutants for test in m.tests}))
        if failed:
            print(said + "These fail without any mistake: " + " ".join(failed))
            return 1
        run = Run(mutants, verbose)
        threads = [threading.Thread(target=run.work, args=(tree,), daemon=True) for tree in trees]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(SIGNAL_SECONDS)
    except BaseException:
        end_all()
        raise
    finally:
        for tree in trees:
            tree.remove()
    equivalent = run.counts.pop("equivalent", 0)
    tried, caught = sum(run.counts.values()), run.counts.get("caught", 0)
    print("%d of %d caught; %d that make no difference were not tried" % (caught, tried, equivalent))
    return 0 if caught == tried else 1


def main():
    parser = argparse.ArgumentParser(description="See that the tests find known mistakes.")
    parser.add_argument("which", nargs="*", metavar="WHICH", help="10-40, or kern/ipc.c")
    parser.add_argument("-j", "--jobs", type=int, default=1, metavar="N", help="N at a time")
    parser.add_argument("-v", "--verbose", action="store_true", help="show how tests failed")
    parser.add_argument("--check", action="store_true", help="only see whether each applies")
    parser.add_argument("--list", action="store_true", help="only print them")
    args = parser.parse_args()
    try:
        mutants = select(read_list(), args.which)
    except ListError as e:
        parser.error(str(e))
    if args.list:
        print("\n".join(map(str, mutants)))
        return 0
    if args.check:
        wrong = check_list(mutants)
        print("\n".join(wrong + ["%d mistakes, %d do not apply" % (len(mutants), len(wrong))]))
        return 1 if wrong else 0
    return try_all(mutants, max(args.jobs, 1), args.verbose)


if __name__ == "__main__":
    run_tool(main)
