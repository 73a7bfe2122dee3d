#!/usr/bin/env python3
"""Grade the grader: make mistakes that students make, one at a time, and check that the grade finds
each of them: `make grade-the-grader`.

    mistakes.py [-j N] [-v] [--variants] [--quick] [--check] [--list] [--table FILE] [WHICH...]

The mistakes are in tests/mistakes/, which also describes the format. WHICH selects some of them, by
parts of their names or their files' names. With --variants, tries the right but different kernels
in tests/variants/ instead: each must get the full score. Each of N jobs works in a copy of the
tree. For each mistake, the tool changes the copy, builds and grades it, and prints a line:

    caught        the grade found the mistake; the check and its first complaint follow
    SURVIVED      the grade gave the full score
    NO MATCH      the text to change is not in the source, or is there more than once
    NO BUILD      the kernel does not build
    not tried     the list says why no run of a program shows the mistake

and for a variant `right` or WRONG. The exit status is 0 if the grade was right about all of them.
--check only checks that all can be applied; --table updates the rows of these mistakes in the table
of docs/mistakes.md.
"""

import argparse
import os
import re
import runpy
import sys
import threading

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.check.mutants import ListError, function_span, work_in_threads
from tools.grade.grader import Grader
from tools.run.buildtree import ROOT, BuildError, Tree
from tools.run.child import end_all
from tools.run.tool import run_tool

LAB = 4
MESSAGE_SIZE = 200  # In the table
FOLDERS = {False: "mistakes", True: "variants"}


class Change:
    """A piece of a file to replace. `function`: where it is, or None for anywhere in the file."""

    def __init__(self, file, function):
        self.file = file
        self.function = function
        self.old, self.new = [], []

    def apply(self, source):
        """Return the changed source. Raise ListError unless the old text is there exactly once."""
        old, new = "\n".join(self.old), "\n".join(self.new)
        start, end = function_span(source, self.function)
        part = source[start:end]
        if part.count(old) != 1:
            raise ListError("%s %s: %s: %s" % (
                self.file, self.function or "", "there %d times" % part.count(old), old))
        if not self.new and source[start:end].count(old + "\n") == 1:
            old += "\n"  # Whole lines go away.
        return source[:start] + part.replace(old, new) + source[end:]


class Mistake:
    """A mistake, or a variant. `checks`: the checks that are tried first. `reason`: why no check
    can find the mistake."""

    def __init__(self, name, source):
        self.name = name
        self.source = source  # The list's file
        self.text = ""
        self.changes, self.checks, self.variables = [], [], []
        self.reason = None

    @property
    def exercise(self):
        found = re.match(r"exercise(\d+)", self.source)
        return int(found[1]) if found else None

    def apply(self, tree):
        """Change a tree. Return {path: text before}; on an error, the tree is as before."""
        before = {}
        try:
            for change in self.changes:
                path = tree.path(*change.file.split("/"))
                with open(path, encoding="utf-8") as f:
                    text = f.read()
                before.setdefault(path, text)
                write(path, change.apply(text))
        except (OSError, ListError):
            restore(before)
            raise
        return before


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def restore(before):
    for path, text in before.items():
        write(path, text)


def parse(text, source):
    """Return the mistakes in the text of a list."""
    mistakes, mistake, change = [], None, None
    for line in text.split("\n"):
        kind, _, value = line.partition(" ")
        if kind == "==":
            mistake, change = Mistake(value, source), None
            mistakes.append(mistake)
        elif mistake is None or not line:
            continue
        elif kind == "@":
            file, _, function = value.partition(" ")
            change = Change(file, function or None)
            mistake.changes.append(change)
        elif kind in ("-", "+") and change:
            (change.old if kind == "-" else change.new).append(value)
        elif kind == ">":
            mistake.checks += value.split()
        elif kind == "=":
            mistake.reason = value
        elif kind == "make":
            mistake.variables.append(value)
        elif not change:
            mistake.text = (mistake.text + " " + line).strip()
        else:
            raise ListError("%s: %s: cannot be read: %s" % (source, mistake.name, line))
    for mistake in mistakes:
        if not mistake.text or not (mistake.changes or mistake.variables) or \
                any(not change.old for change in mistake.changes):
            raise ListError("%s: %s needs a sentence and a change" % (source, mistake.name))
    return mistakes


def read_lists(variants=False, root=ROOT):
    """All mistakes, or all variants."""
    folder = os.path.join(root, "tests", FOLDERS[variants])
    found = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".txt"):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                found += parse(f.read(), name)
    return found


def check_lists(mistakes, root=ROOT):
    """Return an error message for each mistake that cannot be applied."""
    errors = []
    for mistake in mistakes:
        texts = {}
        try:
            for change in mistake.changes:
                if change.file not in texts:
                    with open(os.path.join(root, change.file), encoding="utf-8") as f:
                        texts[change.file] = f.read()
                texts[change.file] = change.apply(texts[change.file])
        except (OSError, ListError) as e:
            errors.append("%s: %s" % (mistake.name, e))
    return errors


# ---- Trying a mistake ----

def all_tests():
    """The tests and checks of the grade, in order."""
    parts = runpy.run_path(os.path.join(ROOT, "grade-lab%d" % LAB))["PARTS"]
    return [test for part in parts for test in part.all()]


def grade(tree, checks, named_only):
    """Grade a tree as `make grade` does, but only up to the first failure: the named checks first,
    or only these. Return (name, message) of the failure; None if everything passes."""
    grader = Grader(tree)
    complaint = grader.boot()
    if complaint:
        return "boot", complaint_of(complaint)
    tests = sorted(all_tests(), key=lambda test: test.name not in checks)  # The sort is stable.
    for test in tests[:len(checks)] if named_only and checks else tests:
        outcome = grader.run(test)
        if outcome.complaint:
            return test.name, complaint_of(outcome.complaint, test.cost)
    return None


def complaint_of(message, cost=0):
    """The line of a message that says most."""
    lines = [line.strip() for line in message.split("\n")]
    if cost and len(lines) > 1 and not lines[1].startswith("missing:"):
        lines = lines[1:]  # The first line says what the check is about.
    panic = [line for line in lines if line.startswith(("kernel panic", "cut off"))]
    likely = [line for line in lines if line.startswith("likely: ")]
    chosen = (panic or lines)[0]
    return chosen + (" (%s)" % likely[0] if likely and not chosen.startswith("kernel") else "")


def try_mistake(tree, mistake, variant, named_only):
    """Change a copy of the tree, build and grade it. Return (result, check, message)."""
    try:
        before = mistake.apply(tree)
    except ListError as e:
        return "NO MATCH", "", str(e)
    if mistake.variables:  # They may name another build folder.
        tree = Tree(tree.root, tree.variables + mistake.variables)
    try:
        tree.build()
        found = grade(tree, mistake.checks, named_only)
    except BuildError as e:
        return "NO BUILD", "", str(e)
    finally:
        restore(before)
    if found:
        return ("WRONG" if variant else "caught", *found)
    return ("right" if variant else "SURVIVED"), "", ""


class Run:
    """A list of mistakes to try, and their results. Thread-safe."""

    def __init__(self, mistakes, variant, named_only, verbose):
        self._variant = variant
        self._named_only = named_only
        self._verbose = verbose
        self._waiting = list(mistakes)
        self._lock = threading.Lock()
        self.results = {}  # {mistake: (result, check, message)}

    def _next(self):
        with self._lock:
            return self._waiting.pop(0) if self._waiting else None

    def _report(self, mistake, result, check, message):
        with self._lock:
            self.results[mistake] = (result, check, message)
            short = message if self._verbose or result.startswith("NO") else message[:MESSAGE_SIZE]
            print("%-9s %s%s%s" % (result, mistake.name, " by %s: " % check if check else " ",
                                   short), flush=True)

    def stop(self):
        """Start no other mistake."""
        with self._lock:
            self._waiting = []

    def work(self, tree):
        """Try mistakes in a copy of the tree until none are left."""
        while True:
            mistake = self._next()
            if mistake is None:
                return
            if mistake.reason:
                self._report(mistake, "not tried", "", mistake.reason)
            else:
                self._report(mistake, *try_mistake(tree, mistake, self._variant,
                                                   self._named_only))


def try_all(run, count):
    """Try the mistakes of a Run in `count` copies of the tree."""
    trees = []
    try:
        for _ in range(count):
            trees.append(Tree().copy_built())
            trees[-1].variables.append("OBJDUMP=true")  # The disassembly takes long.
        work_in_threads(run.work, trees)
    except BaseException:
        run.stop()
        end_all()
        raise
    finally:
        for tree in trees:
            tree.remove()


# ---- The report ----

def markdown(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def row(mistake, result, check, message):
    """A row of the table. A long message loses its end."""
    if len(message) > MESSAGE_SIZE:
        message = message[:MESSAGE_SIZE] + " ..."
    return "| `%s` | %s | %s | %s |" % (mistake.name, markdown(mistake.text),
                                        "`%s`" % check if check else result, markdown(message))


def write_table(path, all_mistakes, results):
    """Update the table in a file, which follows the line `<!-- table -->`: the rows of the mistakes
    that were tried. {mistake: (result, check, message)}"""
    with open(path, encoding="utf-8") as f:
        head, _, old = f.read().partition("<!-- table -->\n")
    rows = {name: line for line, name in re.findall(r"(?m)^(\| `([\w-]+)` .*)$", old)}
    rows.update((m.name, row(m, *result)) for m, result in results.items()
                if not result[0].startswith("NO"))
    lines, exercise = [], None
    for mistake in all_mistakes:
        if mistake.exercise != exercise:
            exercise = mistake.exercise
            lines += ["", "## Exercise %d" % exercise, "",
                      "| mistake | what is wrong | found by | message |", "|---|---|---|---|"]
        if mistake.name in rows:
            lines.append(rows[mistake.name])
    write(path, head + "<!-- table -->\n" + "\n".join(lines) + "\n")


def select(mistakes, words):
    """The mistakes whose names or lists contain one of the words, in the order of the words; all if
    there are no words."""
    for word in words:
        if not any(word in m.name or word in m.source for m in mistakes):
            raise ListError("nothing matches %s" % word)
    if not words:
        return mistakes
    chosen = [m for word in words for m in mistakes if word in m.name or word in m.source]
    return list(dict.fromkeys(chosen))


def main():
    parser = argparse.ArgumentParser(description="Check that the grade finds known mistakes.")
    parser.add_argument("which", nargs="*", metavar="WHICH", help="try only these mistakes")
    parser.add_argument("-j", "--jobs", type=int, default=1, metavar="N",
                        help="try N mistakes at the same time (default: 1)")
    parser.add_argument("-v", "--verbose", action="store_true", help="show whole complaints")
    parser.add_argument("--variants", action="store_true", help="try right kernels instead")
    parser.add_argument("--quick", action="store_true",
                        help="run only the checks that the lists name, where they name any")
    parser.add_argument("--check", action="store_true", help="only check that all can be applied")
    parser.add_argument("--list", action="store_true", help="only print the mistakes")
    parser.add_argument("--table", metavar="FILE", help="update the table in FILE")
    args = parser.parse_args()
    try:
        mistakes = select(read_lists(args.variants), args.which)
    except ListError as e:
        parser.error(str(e))
    if args.list:
        print("\n".join("%s: %s" % (m.name, m.text) for m in mistakes))
        return 0
    errors = check_lists(mistakes)
    if args.check or errors:
        print("\n".join(errors + ["%d, of which %d cannot be applied"
                                  % (len(mistakes), len(errors))]))
        return 1 if errors else 0
    run = Run(mistakes, args.variants, args.quick, args.verbose)
    try:
        try_all(run, min(max(args.jobs, 1), len(mistakes)))
    finally:
        results = {mistake: run.results[mistake] for mistake in mistakes if mistake in run.results}
        if args.table and not args.variants:
            write_table(args.table, read_lists(), results)
    good = "right" if args.variants else "caught"
    tried = [result for result, _, _ in results.values() if result != "not tried"]
    print("%d of %d %s; %d not tried" % (
        tried.count(good), len(tried), good, len(results) - len(tried)))
    return 0 if tried.count(good) == len(tried) else 1


if __name__ == "__main__":
    run_tool(main)
