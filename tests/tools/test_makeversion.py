"""The makefiles work with GNU make from 3.81 on, and other versions of make are refused."""

import glob
import os
import re
import subprocess
import unittest

from tests.support import TREE
from tools.run.buildtree import clean_environment


class OldMakeTest(unittest.TestCase):
    """macOS has GNU make 3.81, from 2006. The makefiles must not use later features."""

    NEWER = {
        r"(?m)^[^\t#]*[^!]!=": "!= (4.0)", r"::=": "::= (4.0)",
        r"(?m)^ *private ": "private (3.82)",
        r"(?m)^ *undefine ": "undefine (3.82)", r"(?m)^ *define [^\n]*=": "define = (3.82)",
        r"\.ONESHELL": ".ONESHELL (3.82)", r"\.RECIPEPREFIX": ".RECIPEPREFIX (3.82)",
        r"\$\(file ": "$(file) (4.0)", r"\.SHELLSTATUS": ".SHELLSTATUS (4.2)",
        r"\$\((let|intcmp) ": "$(let), $(intcmp) (4.4)", r"\.WAIT": ".WAIT (4.4)",
        r"(?m)^[^\t#]* &:": "&: (4.3)", r"\.EXTRA_PREREQS": ".EXTRA_PREREQS (4.3)",
        r"\.NOTINTERMEDIATE": ".NOTINTERMEDIATE (4.4)",
    }

    def makefiles(self):
        for pattern in ("GNUmakefile", "*/Makefrag", "conf/*.mk"):
            for path in glob.glob(TREE.path(pattern)):
                with open(path, encoding="utf-8") as f:
                    yield os.path.relpath(path, TREE.root), f.read()

    def complaints(self, text):
        found = [what for pattern, what in self.NEWER.items() if re.search(pattern, text)]
        for command in re.findall(r"\$\(shell ((?:[^()]|\([^()]*\))*)\)", text):
            # Without one of these characters, make before 4.3 runs the first word as a program.
            if not re.search(r"[;<>|&]", command):
                found.append("needs a shell to find its command: " + command)
            if "#" in command:
                found.append("# in a function begins a comment before 4.3: " + command)
        return found

    def test_makefiles_use_no_later_features(self):
        for name, text in self.makefiles():
            with self.subTest(name=name):
                self.assertEqual(self.complaints(text), [])

    def test_later_features_are_found(self):
        for text in ("A != ls", "A ::= 1", "private A = 1", "undefine A", "define A =\nendef",
                     ".ONESHELL:", "$(file >a,b)", "a b &: c", "A := $(shell command -v x)",
                     "A := $(shell echo a; echo \\#)"):
            with self.subTest(text=text):
                self.assertTrue(self.complaints(text))

    def test_older_makes_are_refused(self):
        done = subprocess.run(["make", "-n", ".FEATURES=", "MAKE_VERSION=3.80"], cwd=TREE.root,
                              env=clean_environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^.*GNU make 3\.81 or later is needed: this is 3\.80.*\n$")

    def test_other_makes_are_refused(self):
        for goal in ([], ["qemu-nox"]):
            done = subprocess.run(["make", "-f", "Makefile", *goal], cwd=TREE.root,
                                  env=clean_environment(), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, encoding="utf-8", check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("This needs GNU make 3.81 or later", done.stdout)

    def test_longer_pattern_rules_come_first(self):
        """run-hello-nox-gdb also matches run-%. make 3.81 takes the first rule that matches."""
        database = subprocess.run(["make", "-npq", "print-qemu"], cwd=TREE.root, check=False,
                                  env=clean_environment(), stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, encoding="utf-8").stdout
        rules = re.findall(r"(?m)^(run-%[a-z-]*):", database)
        self.assertEqual(len(rules), 4)
        for i, rule in enumerate(rules):
            for earlier in rules[:i]:
                self.assertFalse(rule.endswith(earlier[len("run-%"):]), rules)
