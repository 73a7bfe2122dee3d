"""The mistakes and variants of `make grade-the-grader`, and the tool. The whole run takes an hour;
these tests check that all changes fit the source, and the table of the last run."""

import re
import unittest

from tools.check import mistakes
from tools.check.mutants import ListError
from tools.run.buildtree import Tree

TREE = Tree()

LIST = """== first
It is wrong,
and this says why.
@ kern/a.c f
- 	if (x)
- 		y = 1;
+ 	y = 1;
@ kern/b.c
- one
> check other

== second
Nobody can see it.
@ kern/a.c
- y = 1;
= y is never read
"""

SOURCE = """int
f(int x)
{
	if (x)
		y = 1;
}

int
g(int x)
{
	if (x)
		y = 1;
}
"""


class ListTest(unittest.TestCase):
    def test_every_mistake_fits_the_source(self):
        self.assertEqual(mistakes.check_lists(mistakes.read_lists()), [])

    def test_every_variant_fits_the_source(self):
        self.assertEqual(mistakes.check_lists(mistakes.read_lists(variants=True)), [])

    def test_each_exercise_is_left_out_once_and_has_other_mistakes(self):
        found = mistakes.read_lists()
        for number in range(1, 16):
            names = [m.name for m in found if m.exercise == number]
            self.assertTrue(any(name.endswith("left-out") for name in names), number)
            self.assertGreater(len(names), 2, number)

    def test_names_are_different(self):
        for variants in (False, True):
            names = [m.name for m in mistakes.read_lists(variants)]
            self.assertEqual(len(set(names)), len(names))

    def test_checks_are_in_the_grade(self):
        text = ""
        for path in (TREE.path("grade-lab4"), TREE.path("tools", "grade", "lab4.py")):
            with open(path, encoding="utf-8") as f:
                text += f.read()
        for mistake in mistakes.read_lists():
            for check in mistake.checks:
                self.assertRegex(text, r'"(conform_)?%s"' % check, mistake.name)

    def test_table_says_that_each_mistake_is_found(self):
        with open(TREE.path("docs", "mistakes.md"), encoding="utf-8") as f:
            table = f.read().partition("<!-- table -->\n")[2]
        rows = re.findall(r"(?m)^\| `([\w-]+)` \| (.*?) \| (.*?) \| .+ \|$", table)
        listed = [(m.name, mistakes.markdown(m.text)) for m in mistakes.read_lists()]
        self.assertEqual([pair for pair in listed if pair[0] in {name for name, *_ in rows}],
                         [(name, text) for name, text, _ in rows])
        for name, _, found_by in rows:
            self.assertRegex(found_by, r"^(`\w+`|not tried)$", name)


class ToolTest(unittest.TestCase):
    def test_list_is_read(self):
        first, second = mistakes.parse(LIST, "exercise07.txt")
        self.assertEqual((first.name, first.exercise, first.text, first.checks, first.reason),
                         ("first", 7, "It is wrong, and this says why.", ["check", "other"], None))
        self.assertEqual([(c.file, c.function) for c in first.changes],
                         [("kern/a.c", "f"), ("kern/b.c", None)])
        self.assertEqual(second.reason, "y is never read")

    def test_only_the_named_function_changes(self):
        change = mistakes.parse(LIST, "x")[0].changes[0]
        self.assertEqual(change.apply(SOURCE),
                         SOURCE.replace("\tif (x)\n\t\ty = 1;", "\ty = 1;", 1))

    def test_text_that_is_there_twice_is_refused(self):
        with self.assertRaisesRegex(ListError, "there 2 times"):
            mistakes.parse(LIST, "x")[1].changes[0].apply(SOURCE)

    def test_malformed_lists_are_refused(self):
        for text in ("== a\n@ f\n- x", "== a\nText.", "== a\nText.\n@ f\n+ x",
                     "== a\nText.\n@ f\n- x\n? y"):
            with self.assertRaises(ListError, msg=text):
                mistakes.parse(text, "x")

    def test_make_passes_on_the_selection(self):
        said = TREE.make("-s", "grade-the-grader", "MISTAKES=--list mmio-no exercise14")
        self.assertEqual(re.findall(r"(?m)^[\w-]+(?=: )", said)[:4],
                         ["mmio-no-limit", "mmio-not-writable", "tick-left-out", "tick-no-eoi"])
        said = TREE.make("-s", "grade-the-grader", "MISTAKES=--list clang", "VARIANTS=1")
        self.assertRegex(said, r"(?m)^clang: ")


class MessageTest(unittest.TestCase):
    def test_line_that_says_most_is_found(self):
        for message, cost, wanted in (
                ("missing: x\nlikely: so\nlast lines", 0, "missing: x (likely: so)"),
                ("It must.\nexpected 1, got 2\nExercise 3", 1, "expected 1, got 2"),
                ("It must.\nmissing: x.*", 1, "It must."),
                ("missing: x\nkernel panic on CPU 0", 0, "kernel panic on CPU 0")):
            self.assertEqual(mistakes.complaint_of(message, cost), wanted)
