"""The solution of each exercise in the lab's text is marked by a comment: `Exercise 7`."""

import os
import re
import unittest

from tools.run.buildtree import ROOT

EXERCISES = range(1, 16)


def marked(folders):
    """The numbers of the exercises marked in the sources in these folders."""
    numbers = set()
    for folder in folders:
        for name in os.listdir(os.path.join(ROOT, folder)):
            if name.endswith((".c", ".h", ".S")):
                with open(os.path.join(ROOT, folder, name), encoding="utf-8") as f:
                    numbers.update(map(int, re.findall(r"Exercise (\d+)", f.read())))
    return numbers


class ExercisesTest(unittest.TestCase):
    def test_each_exercise_is_marked(self):
        self.assertEqual(marked(["kern", "lib"]), set(EXERCISES))
