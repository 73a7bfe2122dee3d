"""docs/challenges/: there is a page for each challenge of the lab, and all have the same parts."""

import glob
import os
import re
import unittest

from tools.run.buildtree import Tree

TREE = Tree()
NUMBER_OF_CHALLENGES = 11
PARTS = ("Task", "Idea", "Answer", "Run it", "Costs")


def read(name):
    with open(TREE.path(*name.split("/")), encoding="utf-8") as f:
        return f.read()


def pages():
    """The pages, in the order of the list in the README, and their texts."""
    names = re.findall(r"(?m)^- \[[^]]*\]\((\w+\.md)\): ", read("docs/challenges/README.md"))
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

    def test_output_of_the_power_series(self):
        """The output that the page shows is the one that tests/kernel/test_answers.py checks."""
        shown = re.findall(r"(?m)^    power: ([^:]+): (.*)$", self.pages["power.md"])
        self.assertEqual([name for name, _ in shown], ["exp", "sin", "cos", "tan",
                                                       "sin^2 + cos^2"])
        self.assertEqual({len(line.split()) for _, line in shown}, {12})


if __name__ == "__main__":
    unittest.main()
