"""docs/challenges/: each page names files, functions and programs that exist."""

import glob
import os
import re
import unittest

from tools.run.buildtree import Tree

TREE = Tree()
NUMBER_OF_CHALLENGES = 11
PARTS = ("Task", "Idea", "Answer", "Run it", "Costs")
FILE = r"`((?:[\w-]+/)+(?:[\w.-]+\.\w+)?)`"
SOURCES = ("kern/*.[chS]", "kern/*/*.[chS]", "lib/*.[chS]", "lib/*/*.[chS]", "inc/*.h",
           "user/*.[ch]", "user/*/*.[ch]", "user/user.ld", "tools/measure/budgets.py",
           "conf/settings.mk")


def read(name):
    with open(TREE.path(*name.split("/")), encoding="utf-8") as f:
        return f.read()


def pages():
    """The pages, in the order of the list in the README, and their texts."""
    names = re.findall(r"(?m)^\d+\. `(\w+\.md)`: ", read("docs/challenges/README.md"))
    return {name: read("docs/challenges/" + name) for name in names}


class ChallengePagesTest(unittest.TestCase):
    def setUp(self):
        self.pages = pages()

    def test_each_challenge_has_a_page(self):
        self.assertEqual(len(self.pages), NUMBER_OF_CHALLENGES)
        files = {os.path.basename(path) for path in glob.glob(TREE.path("docs", "challenges",
                                                                        "*.md"))}
        self.assertEqual(files - {"README.md"}, set(self.pages))

    def test_pages_have_the_same_parts(self):
        for name, text in self.pages.items():
            if name != "locks.md":  # There is no answer to run.
                found = [part for part in re.findall(r"(?m)^\*\*([\w ]+)\.\*\*", text)
                         if part in PARTS]
                self.assertEqual(found, list(PARTS), name)
            self.assertRegex(text, r"\A# .*\n\n\*\*Task\.\*\* ", name)

    def test_lines_are_short(self):
        for name, text in self.pages.items():
            for line in text.splitlines():
                self.assertTrue(line.startswith("|") or len(line) <= 100, (name, line))

    def test_files_exist(self):
        for name, text in self.pages.items():
            for file in re.findall(FILE, text):
                self.assertTrue(os.path.exists(TREE.path(*file.split("/"))), (name, file))

    def test_programs_exist(self):
        programs = TREE.programs()
        for name, text in self.pages.items():
            found = re.findall(r"make (?:run|trace)-(\w+)", text)
            found += re.findall(r"CMDLINE=\"?(?:lockstat=on )?(\w+)", text)
            self.assertTrue(found, name)
            for program in set(found) - {"NAME"}:
                self.assertIn(program, programs, name)

    def test_names_are_in_the_sources(self):
        """Each text in backquotes that is a name must be in a source file, as a whole word."""
        words = set()
        for pattern in SOURCES:
            for path in glob.glob(TREE.path(*pattern.split("/"))):
                words |= set(re.findall(r"\w+", read(os.path.relpath(path, TREE.root))))
        words |= {os.path.splitext(os.path.basename(path))[0] for path in TREE.programs().values()}
        commands = set(re.findall(r'\{ "(\w+)", "', read("kern/monitor.c")))
        for name, text in self.pages.items():
            for word in re.findall(r"`([A-Za-z_]\w+)`", text):
                self.assertTrue(word in words | commands | {"malloc"}, (name, word))

    def test_output_of_the_power_series(self):
        """The output that the page shows is the one that tests/kernel/test_answers.py checks."""
        shown = re.findall(r"(?m)^    power: ([^:]+): (.*)$", self.pages["power.md"])
        self.assertEqual([name for name, _ in shown], ["exp", "sin", "cos", "tan",
                                                       "sin^2 + cos^2"])
        self.assertEqual({len(line.split()) for _, line in shown}, {12})


if __name__ == "__main__":
    unittest.main()
