#!/usr/bin/env python3
"""Make a student's tree in the folder DEST: this project without the answers to exercises.

    starter.py [--exercises "4-7 9"] [--lab 4] DEST      also: make starter DEST=DIR EXERCISES=4-7
    starter.py --check                                   check only that sections and sources fit

Without --exercises, all exercises of the lab are missing. starter/labN/ says what a tree contains
(tree.txt), and what stands in place of the answers (the other .txt files: see sections.py).
"""

import argparse
import fnmatch
import os
import re
import stat
import subprocess
import sys

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.run.buildtree import ROOT, Tree
from tools.run.tool import ToolError, run_tool
from tools.teach.sections import SectionError, parse

TAG = r"Exercise (\d+)"
TAGGED = r"(?:kern|lib|inc)/[^/]+\.[chS]"


class Starter:
    """The trees that can be made for a lab."""

    def __init__(self, lab, root=ROOT):
        self.root = root
        self.folder = os.path.join("starter", "lab%d" % lab)
        if not os.path.isdir(os.path.join(root, self.folder)):
            raise ToolError("there is no student's tree for lab %d: no folder %s"
                            % (lab, self.folder))
        self.common = self._parse("common.txt") + self._parse("docs.txt")
        self.exercises = {}
        for name in sorted(os.listdir(os.path.join(root, self.folder))):
            found = re.fullmatch(r"exercise(\d+)\.txt", name)
            if found:
                self.exercises[int(found[1])] = self._parse(name)
        self.sources = self._read_sources()

    def _read(self, name):
        with open(os.path.join(self.root, name), encoding="utf-8") as f:
            return f.read()

    def _parse(self, name):
        name = os.path.join(self.folder, name)
        return parse(name, self._read(name))

    def _read_sources(self):
        """The project's files that a student's tree has: {name: text, or bytes of a picture}."""
        patterns = [line for line in self._read(os.path.join(self.folder, "tree.txt")).split("\n")
                    if line and not line.startswith("#")]
        matched, sources = set(), {}
        for name in sorted(Tree(self.root, []).sources()):
            fits = [p for p in patterns if fnmatch.fnmatchcase(name, p.lstrip("!"))]
            matched.update(fits)
            if fits and not fits[-1].startswith("!"):
                with open(os.path.join(self.root, name), "rb") as f:
                    data = f.read()
                sources[name] = data if name.endswith(".png") else data.decode("utf-8")
        for pattern in patterns:
            if pattern not in matched:
                raise ToolError("%s/tree.txt: no file fits %s" % (self.folder, pattern))
        return sources

    def files(self, missing):
        """The files of the tree in which these exercises are missing: {name: text or bytes}."""
        files = dict(self.sources)
        for section in self.common:
            section.apply(files)
        for exercise in sorted(missing):
            for section in self.exercises[exercise]:
                if section.also <= set(missing):
                    section.apply(files)
        return files

    # ---- Checks ----

    def tags(self):
        """The lines of the sources that are marked as answers: {(exercise, file): {lines}}."""
        found = {}
        for name, text in self.sources.items():
            if re.fullmatch(TAGGED, name):
                for line in text.split("\n"):
                    for number in re.findall(TAG, line):
                        found.setdefault((int(number), name), set()).add(line)
        return found

    def check(self):
        """Raise a SectionError unless each answer has its section, and each section its answer."""
        tags = self.tags()
        numbers = {exercise for exercise, _ in tags}
        for exercise in sorted(numbers ^ set(self.exercises)):
            if exercise in numbers:
                raise SectionError("exercise %d is marked in %s, but has no file %s/exercise%02d"
                                   ".txt" % (exercise, " ".join(sorted(
                                       file for n, file in tags if n == exercise)),
                                       self.folder, exercise))
            raise SectionError("%s/exercise%02d.txt: no source is marked `Exercise %d`"
                               % (self.folder, exercise, exercise))
        for missing in [set(self.exercises)] + [{exercise} for exercise in self.exercises]:
            files = self.files(missing)
            for (exercise, file), lines in tags.items():
                left = lines & set(files.get(file, "").split("\n"))
                if exercise in missing and left:
                    raise SectionError("%s/exercise%02d.txt has no section for this line of %s:\n%s"
                                       % (self.folder, exercise, file, "\n".join(sorted(left))))


# ---- Writing a tree ----

def write(files, dest, root=ROOT):
    """Write the files to the folder `dest`. Files that are already right are not touched."""
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode("utf-8")
        path = os.path.join(dest, name)
        try:
            with open(path, "rb") as f:
                if f.read() == data:
                    continue
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        original = os.path.join(root, name)
        if os.path.exists(original) and os.stat(original).st_mode & stat.S_IXUSR:
            os.chmod(path, 0o755)


def check_dest(dest):
    """Raise a ToolError if the tree cannot be written to `dest`."""
    if not dest:
        raise ToolError("say where: make starter DEST=folder")
    path = os.path.realpath(dest)
    if os.path.lexists(dest) and not os.path.isdir(dest):
        raise ToolError("%s is not a folder" % dest)
    if os.path.isdir(dest) and os.listdir(dest):
        raise ToolError("%s is not empty: nothing is written" % dest)
    root = os.path.realpath(ROOT)
    if path == root or path.startswith(root + os.sep):
        ignored = subprocess.run(["git", "-C", root, "check-ignore", "-q", "--", path],
                                 stderr=subprocess.DEVNULL, check=False)
        if ignored.returncode:
            raise ToolError("%s is inside this project: choose another folder" % dest)


def parse_exercises(text, known):
    """The exercises in a text like "4-7 9" or "1,3"; all exercises if the text is empty."""
    numbers = set()
    for word in text.replace(",", " ").split():
        found = re.fullmatch(r"(\d+)(?:-(\d+))?", word)
        some = range(int(found[1]), int(found[2] or found[1]) + 1) if found else ()
        if not some or not set(some) <= set(known):
            raise ToolError("EXERCISES: %s is no exercise from %d to %d, and no range like 4-7"
                            % (word, min(known), max(known)))
        numbers.update(some)
    return numbers or set(known)


def main():
    parser = argparse.ArgumentParser(description="Make a student's tree.")
    parser.add_argument("dest", nargs="?", metavar="DEST", default="")
    parser.add_argument("--exercises", default="", help="the missing exercises: 4-7 (default: all)")
    parser.add_argument("--lab", type=int, default=4, metavar="N")
    parser.add_argument("--check", action="store_true", help="write nothing")
    args = parser.parse_args()
    if not args.check:
        check_dest(args.dest)
    starter = Starter(args.lab)
    missing = parse_exercises(args.exercises, starter.exercises)
    starter.check()
    if not args.check:
        files = starter.files(missing)
        write(files, args.dest)
        print("%s: %d files, without the answers to %d of %d exercises of lab %d"
              % (args.dest, len(files), len(missing), len(starter.exercises), args.lab))


if __name__ == "__main__":
    run_tool(main)
