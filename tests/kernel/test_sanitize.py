"""`make SAN=1`: the kernel panics at undefined behaviour and at a smashed stack. Neither happens in
the programs of the grade."""

import os

from tests.support import LIMIT_SECONDS, TREE, KernelTest
from tools.run.buildtree import Tree

WHERE = r"kernel panic on CPU 0 at (kern/check/selftest\.c):(\d+): "
UNDEFINED = WHERE + r"undefined behaviour at \1:\2:[1-9]\d*: "
MISTAKES = {
    "overflow_number": UNDEFINED + "signed addition overflows",
    "shift_too_far": UNDEFINED + "00000001 is shifted by 32",
    "index_beyond_array": UNDEFINED + "index 4 of an array",
    "use_unaligned_pointer": UNDEFINED + "a use of pointer f0[0-9a-f]{5}[159d]",
    "smash_stack": r"kernel panic on CPU 0 at lib/sanitize\.c:\d+: "
                   "a function has written past the end of an array: it returns to f0.*",
}


def sanitized(*variables):
    """This tree built with SAN=1, in a separate folder."""
    given = [v for v in TREE.variables if not v.startswith("OBJDIR=")]
    return Tree(variables=[*given, "SAN=1", *variables])


class SanitizeTest(KernelTest):
    slow = True

    @classmethod
    def setUpClass(cls):
        cls.tree = sanitized()
        cls.tree.build()

    def test_grade_passes(self):
        output = self.tree.make("-s", "grade", "GRADEFLAGS=--mit")
        self.assertRegex(output, r"(?m)^Score: (\d+)/\1$")

    def run_sanitized(self, cmdline, tree=None, **options):
        disk = (tree or self.tree).disk_image(cmdline)
        return self.start(disk=disk, **options).run_to_prompt().replace("\r", "")

    def check_mistakes(self, tree):
        self.may_panic = True
        for name, said in MISTAKES.items():
            with self.subTest(name=name):
                output = self.run_sanitized("selftest=" + name, tree)
                self.assert_lines(output, [said], no=[".*no panic.*"])

    def test_mistakes_are_found(self):
        self.check_mistakes(self.tree)

    def test_stress_finds_no_mistake(self):
        for cpus in (2, 8):
            output = self.run_sanitized("jitter=1 stress", cpus=cpus, limit=2 * LIMIT_SECONDS)
            self.assert_lines(output, ["stress: .*: ok"], no=[".*panic.*"])

    def test_clang_finds_the_same_mistakes(self):
        tree = sanitized("CC=clang", "OBJDIR=" + os.path.join("obj", "san-clang"))
        tree.build()
        output = self.run_sanitized("forktree ipcorder stresssched", tree, cpus=4)
        self.assert_lines(output, ["ipcorder: ok"], no=[".*panic.*"])
        self.check_mistakes(tree)
