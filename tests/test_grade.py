"""The grade, as a user sees it."""

import re

from support import TREE, KernelTest


class GradeTest(KernelTest):
    def test_full_score(self):
        self.check()

    def test_full_score_on_a_cpu_that_protects_users_memory(self):
        self.check("QEMU=%s -cpu max" % " ".join(TREE.qemu()))

    def check(self, *variables):
        output = TREE.make("-s", "grade", *variables)
        lines = output.strip().split("\n")
        for line in lines[:-1]:
            self.assertRegex(line, r"^(\w+: OK \(\d+\.\ds\)|Part [A-C] score: (\d+)/\2|)$", output)
        self.assertRegex(lines[-1], r"^Score: (\d+)/\1$")
        self.assertTrue(re.search(r"(?m)^dumbfork: OK", output))
