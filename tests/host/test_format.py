"""The layout of the source: the C files are as `make format` would write them, flake8 finds nothing
in the Python files. And the tool itself, tools/check/format.py.

A version of clang-format that is not known to agree with the others makes the test of the C files
skipped, with these words."""

import os
import shutil
import subprocess
import unittest
from unittest import mock

from tests.tools.fakes import FakesTest
from tools.check import format as layout
from tools.run.buildtree import ROOT, Tree

BADLY = "int f(void) {\n    return  1;\n}\n"
WELL = "int\nf(void)\n{\n\treturn 1;\n}\n"


def reason_to_skip():
    """Why the C files cannot be checked here, or None."""
    try:
        layout.check_version()
    except layout.FormatError as e:
        return str(e)
    return None


REASON_TO_SKIP = reason_to_skip()


class SourceTest(unittest.TestCase):
    @unittest.skipIf(REASON_TO_SKIP, REASON_TO_SKIP)
    def test_c(self):
        complaints = layout.check()
        if complaints:
            self.fail("make format changes this, or it is to be broken by hand:\n"
                      + "\n".join(complaints[:40]))

    @unittest.skipUnless(shutil.which("flake8"), "flake8 is not installed: conf/setup --check")
    def test_python(self):
        done = subprocess.run(["flake8", "tools", "tests", "grade-lab4"], cwd=ROOT,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_no_c_file_is_forgotten(self):
        tree = Tree()
        elsewhere = ["models", os.path.relpath(tree.path(tree.objdir()), ROOT).split(os.sep)[0]]
        found = set()
        for top in os.listdir(ROOT):
            if top.startswith(".") or top in elsewhere:
                continue
            for folder, _, names in os.walk(os.path.join(ROOT, top)):
                found.update(os.path.relpath(os.path.join(folder, name), ROOT)
                             for name in names if name.endswith((".c", ".h")))
        self.assertEqual(found, set(layout.find_files()))


class ToolTest(FakesTest):
    def setUp(self):
        super().setUp()
        shutil.copy(os.path.join(ROOT, ".clang-format"), self.dir)

    @unittest.skipIf(REASON_TO_SKIP, REASON_TO_SKIP)
    def test_changes_what_is_laid_out_badly(self):
        path = self.write("kern/a.c", BADLY)
        self.write("kern/b.h", WELL)
        promela = self.write("models/c.h", BADLY)
        said = layout.check(self.dir)
        self.assertIn("-int f(void) {", said)
        self.assertEqual([line for line in said if "b.h" in line or "c.h" in line], [])
        self.assertEqual(layout.read(path), BADLY, "--check changes nothing")
        self.assertEqual(layout.write(self.dir), (["kern/a.c"], []))
        self.assertEqual((layout.read(path), layout.read(promela)), (WELL, BADLY))
        self.assertEqual(layout.write(self.dir), ([], []))

    @unittest.skipIf(REASON_TO_SKIP, REASON_TO_SKIP)
    def test_line_that_cannot_be_broken(self):
        self.write("lib/a.c", "struct s {\n\tint a; // %s\n};\n// %s\n" % ("x" * 82, "y" * 98))
        said = "lib/a.c:4: 101 columns, more than 100"
        self.assertEqual(layout.check(self.dir), [said])
        self.assertEqual(layout.write(self.dir), ([], [said]))

    def play_clang_format(self, script):
        """Put a script in place of clang-format, for this test."""
        path = self.write("bin/clang-format", "#!/bin/sh\n%s\n" % script, 0o755)
        patch = mock.patch.dict(os.environ, PATH=os.path.dirname(path))
        patch.start()
        self.addCleanup(patch.stop)

    def test_versions(self):
        for version in ("Debian clang-format version 14.0.6", "clang-format version 22.1.8"):
            self.play_clang_format("echo " + version)
            layout.check_version()
        for version in ("clang-format version 13.0.1", "clang-format version 23.1.0", "?"):
            self.play_clang_format("echo '%s'" % version)
            with self.assertRaisesRegex(layout.FormatError, r"may give another result"):
                layout.check_version()

    def test_no_clang_format(self):
        with mock.patch.dict(os.environ, PATH=self.dir):
            with self.assertRaisesRegex(layout.FormatError, "is missing: conf/setup --check"):
                layout.check_version()


class SubjectTest(FakesTest):
    def test_form(self):
        for subject in ("sched: wake idle CPUs at once", "user, tests: no USED lines",
                        "kern/check: plain words", "grade-lab4: x", "make mutants: more",
                        'Revert "sched: wake idle CPUs"', "a: " + "x" * 62):
            self.assertEqual(layout.check_subject(subject), [], subject)
        for subject in ("wake idle CPUs at once", "sched:wake", "sched: ", ": wake",
                        "a: " + "x" * 63):
            self.assertEqual(len(layout.check_subject(subject)), 1, subject)

    def git(self, *words):
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words],
                       cwd=self.dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       check=True)

    @unittest.skipUnless(shutil.which("git"), "git is not installed")
    def test_last_commit(self):
        self.assertIsNone(layout.last_subject(self.dir))
        self.git("init")
        self.assertIsNone(layout.last_subject(self.dir))
        self.git("commit", "--allow-empty", "-m", "a: first")
        self.assertEqual(layout.last_subject(self.dir), "a: first")
        self.git("checkout", "-b", "other")
        self.git("commit", "--allow-empty", "-m", "b: second")
        self.git("checkout", "-")
        self.git("commit", "--allow-empty", "-m", "c: third")
        self.assertEqual(layout.last_subject(self.dir), "c: third")
        self.git("merge", "-m", "Merge the other branch", "other")
        self.assertIsNone(layout.last_subject(self.dir))


if __name__ == "__main__":
    unittest.main()
