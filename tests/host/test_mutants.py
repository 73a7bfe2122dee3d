"""The list of known mistakes, tests/mutants.txt, and the tool that makes them. `make mutants` takes
hours; these tests only check that the list fits the source."""

import os
import subprocess
import sys
import tempfile
import unittest

from tools.check import mutants
from tools.run.buildtree import Tree

TREE = Tree()

LIST = """# A comment
[kern/a.c]

f: no check
- if (x)
+ if (0)
> one two

anywhere
- y = 1;
+ y = 2;
= y is never read
"""

SOURCE = """static int
f(int x)
{
	if (x)
		y = 1;
}

int
g(int x)
{
	if (x)
		return 1;
}
"""


class ListTest(unittest.TestCase):
    def test_every_mistake_fits_the_source(self):
        self.assertEqual(mutants.check_list(mutants.read_list()), [])

    def test_mistakes_cover_the_kernel_and_fork(self):
        tried = [m for m in mutants.read_list() if not m.equivalent]
        self.assertGreaterEqual(len(tried), 150)
        files = {m.file for m in tried}
        for name in ("syscall", "ipc", "upcall", "tlb", "sched", "wait", "env", "pmap", "trap",
                     "spinlock", "timer", "dev/console", "challenge/batch", "challenge/fpu"):
            self.assertIn("kern/%s.c" % name, files)
        self.assertLessEqual({"lib/fork.c", "lib/pgfault.c", "lib/ipc.c"}, files)

    def test_no_mistake_is_listed_twice(self):
        changes = [(m.file, m.function, m.old, m.new) for m in mutants.read_list()]
        self.assertEqual(len(set(changes)), len(changes))

    def test_every_pattern_fits_1_to_8_tests(self):
        done = subprocess.run([sys.executable, TREE.path("tools/check/check.py"), "--list"],
                              stdout=subprocess.PIPE, check=True, encoding="utf-8")
        names = done.stdout.split()
        for mutant in mutants.read_list():
            for pattern in mutant.tests:
                found = sum(pattern in name for name in names)
                self.assertIn(found, range(1, 9), "%s\n%s fits %d tests" % (mutant, pattern, found))


class ToolTest(unittest.TestCase):
    def test_list_is_read(self):
        first, second = mutants.parse(LIST)
        self.assertEqual((first.number, first.file, first.function, first.tests),
                         (1, "kern/a.c", "f", ["one", "two"]))
        self.assertEqual((second.function, second.tests, second.equivalent),
                         (None, [], "y is never read"))

    def test_only_the_named_function_changes(self):
        first, second = mutants.parse(LIST)
        self.assertEqual(first.apply(SOURCE), SOURCE.replace("if (x)", "if (0)", 1))
        self.assertEqual(second.apply(SOURCE), SOURCE.replace("y = 1;", "y = 2;"))

    def test_mistake_that_does_not_fit_exactly_once_is_refused(self):
        for title, old, said in (("h: no check", "if (x)", "no function h"),
                                 ("no check", "if (x)", "there 2 times"),
                                 ("g: no check", "if (z)", "not there")):
            mutant = mutants.parse("[kern/a.c]\n\n%s\n- %s\n+ ;\n> t" % (title, old))[0]
            with self.assertRaisesRegex(mutants.ListError, said):
                mutant.apply(SOURCE)

    def test_malformed_lists_are_refused(self):
        for text in ("f: title\n- a\n+ b\n> t", "[a]\n\ntitle\n- a\n> t", "[a]\n\ntitle\n- a\n+ b",
                     "[a]\n\ntitle\n- a\n+ a\n> t", "[a]\n\ntitle\n- a\n- a\n+ b\n> t",
                     "[a]\n\ntitle\n- a\n+ b\n> t\n= why", "[a]\n\ntitle\n- a\n+ b\n? t"):
            with self.assertRaises(mutants.ListError, msg=text):
                mutants.parse(text)

    def test_numbers_ranges_and_files_select_mistakes(self):
        three = mutants.parse("\n".join("[kern/%s.c]\n\nt\n- a\n+ b\n> t\n" % c for c in "abc"))
        for words, numbers in (([], [1, 2, 3]), (["2"], [2]), (["2-3"], [2, 3]),
                               (["b.c", "1"], [1, 2]), (["3", "a.c"], [1, 3])):
            self.assertEqual([m.number for m in mutants.select(three, words)], numbers)
        for word in ("4", "0", "5-9", "d.c"):
            self.assertRaises(mutants.ListError, mutants.select, three, [word])

    def test_make_passes_on_the_selection(self):
        said = TREE.make("-s", "mutants", "MUTANTS=--list 1-3 kern/timer.c")
        self.assertRegex(said, r"(?s)^ +1 \S+: .*\n +3 \S+: .*\d+ kern/timer\.c: ")
        self.assertEqual({line.split()[1] for line in said.splitlines()[3:]}, {"kern/timer.c:"})


class CaughtTest(unittest.TestCase):
    """The result for a mistake. A small program takes the place of tools/check/check.py."""

    def try_one(self, new, check):
        """Try LIST's first mistake, with the text `check` as check.py. Return the tool's word."""
        mutant = mutants.parse(LIST.replace("if (0)", new))[0]
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        tree = Tree(folder.name, [])
        for name, text in (("kern/a.c", SOURCE), ("tools/check/check.py", check)):
            path = tree.path(*name.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
        word, _ = mutants.try_mutant(tree, mutant, False)
        with open(tree.path("kern", "a.c"), encoding="utf-8") as f:
            self.assertEqual(f.read(), SOURCE, "the source was not restored")
        return word

    def test_mistake_is_caught_if_a_test_fails(self):
        check = "import sys\nprint('FAIL one (0.1s)\\n1 passed, 1 failed' if 'if (0)' in " \
                "open('kern/a.c').read() and sys.argv[1:] == ['-j1', 'one', 'two'] else " \
                "'2 passed, 0 failed')"
        self.assertEqual(self.try_one("if (0)", check), "caught")
        self.assertEqual(self.try_one("if (1)", check), "SURVIVED")

    def test_failed_build_does_not_count_as_caught(self):
        self.assertEqual(self.try_one("if (", "print('FAIL build (1s)\\n0 passed, 1 failed')"),
                         "NO BUILD")
        self.assertEqual(self.try_one("if (", "raise SystemExit('broken')"), "NO BUILD")
