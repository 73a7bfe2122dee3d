#!/usr/bin/env python3
"""Lay out the C files as .clang-format says: `make format`.

    format.py [--check]
    format.py --subject

The first form runs clang-format, and names the files that it has changed. Lines of more than 100
columns that clang-format cannot break, such as comments, are listed: break them by hand. With
--check, no file is changed: the differences are printed. The status is 0 if there is nothing to
change.

With --subject, check the subject of the last commit: `area: what changes`, at most 65 characters.
A merge may have any subject. Where there is no git, or no commit, there is nothing to check.
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.run.buildtree import ROOT
from tools.run.child import Child
from tools.run.tool import ToolError, make_folder, remove_folder, run_tool

# The folders with C files. (The files models/*.h are not C.)
FOLDERS = ("boot", "fuzz", "inc", "kern", "lib", "tests", "tools", "user")

# The major versions of clang-format that give the same result. 14, 16, 19 and 22 were compared.
VERSIONS = range(14, 23)

COLUMNS = 100
TAB = 8

SUBJECT = re.compile(r"(Revert \")?[\w./-]+(, [\w./-]+)*( [\w./-]+)*: \S.*")
SUBJECT_LENGTH = 65


class FormatError(ToolError):
    """clang-format cannot be used."""


# ---- C files ----

def find_files(root=ROOT):
    """The C files, as paths relative to the root."""
    return sorted(os.path.relpath(os.path.join(folder, name), root)
                  for top in FOLDERS for folder, _, names in os.walk(os.path.join(root, top))
                  for name in names if name.endswith((".c", ".h")))


def read(*names):
    with open(os.path.join(*names), encoding="utf-8", newline="") as f:
        return f.read()


def run_clang_format(words, folder):
    """Run clang-format in a folder; return what it printed."""
    with Child(["clang-format", *words], cwd=folder, limit=300) as child:
        status = child.wait_for_end()
        if status:
            raise FormatError("clang-format failed:\n%s%s" % (child.output, child.errors))
        return child.output


def check_version():
    """FormatError if clang-format is missing, or may give another result than the known ones."""
    if not shutil.which("clang-format"):
        raise FormatError("clang-format is missing: conf/setup --check installs it")
    text = run_clang_format(["--version"], ROOT)
    found = re.search(r"version (\d+)\.", text)
    if not found or int(found[1]) not in VERSIONS:
        raise FormatError("this clang-format may give another result than the versions %d to %d, "
                          "which agree: %s" % (VERSIONS[0], VERSIONS[-1], text.strip()))


def layout(root=ROOT):
    """A dictionary: for each C file, its text and the text that clang-format makes of it."""
    check_version()
    files = find_files(root)
    copy = make_folder("jos-format-")
    try:
        for name in [".clang-format", *files]:
            path = os.path.join(copy, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(os.path.join(root, name), path)
        if files:
            run_clang_format(["-i", *files], copy)
        return {name: (read(root, name), read(copy, name)) for name in files}
    finally:
        remove_folder(copy)


def long_lines(name, text):
    """A complaint for each line that is too long."""
    return ["%s:%d: %d columns, more than %d" % (name, number, columns, COLUMNS)
            for number, line in enumerate(text.splitlines(), 1)
            for columns in [len(line.expandtabs(TAB))] if columns > COLUMNS]


def check(root=ROOT):
    """A complaint for each file that clang-format would change, and for each line too long."""
    complaints = []
    for name, (old, new) in layout(root).items():
        if old != new:
            complaints += difflib.unified_diff(old.splitlines(), new.splitlines(), name,
                                               name + " (make format)", lineterm="")
        complaints += long_lines(name, new)
    return complaints


def write(root=ROOT):
    """Change the files. Return their names, and complaints about lines too long."""
    changed, complaints = [], []
    for name, (old, new) in layout(root).items():
        if old != new:
            with open(os.path.join(root, name), "w", encoding="utf-8", newline="") as f:
                f.write(new)
            changed.append(name)
        complaints += long_lines(name, new)
    return changed, complaints


# ---- Commits ----

def last_subject(root=ROOT):
    """The subject of the last commit, or None if there is none, or if it is a merge."""
    if not os.path.exists(os.path.join(root, ".git")):
        return None
    try:
        done = subprocess.run(["git", "log", "-1", "--no-merges", "--format=%s", "HEAD^!"],
                              cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              encoding="utf-8", errors="replace")
    except OSError:
        return None
    return done.stdout.strip() or None


def check_subject(subject):
    """What is wrong with a commit's subject: a list of complaints."""
    complaints = []
    if not SUBJECT.fullmatch(subject):
        complaints.append("the subject is not of the form `area: what changes`: " + subject)
    if len(subject) > SUBJECT_LENGTH:
        complaints.append("the subject has %d characters, more than %d: %s"
                          % (len(subject), SUBJECT_LENGTH, subject))
    return complaints


def main():
    parser = argparse.ArgumentParser(description="Lay out the C files.")
    parser.add_argument("--check", action="store_true", help="change nothing, print differences")
    parser.add_argument("--subject", action="store_true", help="check the last commit's subject")
    args = parser.parse_args()
    if args.subject:
        subject = last_subject()
        complaints = check_subject(subject) if subject else []
    elif args.check:
        complaints = check()
    else:
        changed, complaints = write()
        print("".join("formatted %s\n" % name for name in changed)
              + "%d files changed" % len(changed))
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    run_tool(main)
