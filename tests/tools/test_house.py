"""The structure of kern/: a small core, files of a readable size, and calls that run down."""

import os
import re
import subprocess

from tests.support import TREE, KernelTest

CORE_LINES = 5000  # kern/*.[chS], with comments
FILE_LINES = 400
CYCLE_FILES = 12
FOLDERS = ("", "dev", "check", "challenge")

# Not counted: any file may use what is declared in cpu.h, and any file may panic by a macro.
DECLARED_IN_CPU_H = {"cpus", "ncpu", "bootcpu", "lapicaddr", "percpu_kstacks", "percpu_dfstacks"}
CALLED_BY_MACROS = {"_panic", "_warn"}


def sources():
    """The sources of kern/ and its folders, relative to the root, without suffix: [suffixes]. A
    header and its C file are one file here."""
    result = {}
    for folder in FOLDERS:
        for name in os.listdir(TREE.path("kern", folder)):
            stem, suffix = os.path.splitext(name)
            if suffix in (".c", ".h", ".S"):
                result.setdefault(os.path.join("kern", folder, stem), []).append(suffix)
    return result


def lines(path):
    with open(TREE.path(path), encoding="utf-8") as f:
        return f.read().splitlines()


def nm_words(path):
    """Each line of nm's output for an object, as words; nothing if there is no object."""
    if not os.path.exists(path):
        return []
    done = subprocess.run(["nm", path], stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return [line.split() for line in done.stdout.splitlines()]


def uses(files):
    """Pairs (a, b): file a includes b's header, or refers to a symbol that b defines."""
    result = set()
    defined, undefined = {name: "kern/cpu" for name in DECLARED_IN_CPU_H}, []
    for file, suffixes in files.items():
        for suffix in suffixes:
            for line in lines(file + suffix):
                included = re.match(r"#include <(kern/.*)\.h>", line)
                if included:
                    result.add((file, included[1]))
        for words in nm_words(TREE.obj(file + ".o")):
            if words[0] == "U":
                undefined.append((file, words[1]))
            elif words[1].isupper():
                defined.setdefault(words[2], file)
    for file, symbol in undefined:
        if symbol in defined and symbol not in CALLED_BY_MACROS:
            result.add((file, defined[symbol]))
    return {(a, b) for a, b in result if a != b and b in files}


def reachable(start, edges):
    """All files that a file uses, directly or indirectly."""
    found, todo = set(), [start]
    while todo:
        for b in edges.get(todo.pop(), ()):
            if b not in found:
                found.add(b)
                todo.append(b)
    return found


class HouseTest(KernelTest):
    def test_core_is_small(self):
        core = [file + suffix for file, suffixes in sources().items()
                for suffix in suffixes if file.count("/") == 1]
        self.assertGreater(len(core), 40)
        self.assertLess(sum(len(lines(path)) for path in core), CORE_LINES)

    def test_files_are_short(self):
        for file, suffixes in sources().items():
            for suffix in suffixes:
                with self.subTest(file=file + suffix):
                    self.assertLessEqual(len(lines(file + suffix)), FILE_LINES)

    def test_cycles_are_small(self):
        files = sources()
        edges = {}
        for a, b in uses(files):
            edges.setdefault(a, set()).add(b)
        self.assertIn("kern/env", edges["kern/sched"])
        reached = {file: reachable(file, edges) for file in files}
        for file in files:
            cycle = sorted(b for b in reached[file] if file in reached[b])
            self.assertLessEqual(len(cycle), CYCLE_FILES, cycle)
