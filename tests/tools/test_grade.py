"""make grade gives the full score."""

import re

from tests.support import TREE, KernelTest
from tools.run.buildtree import MAKE_SECONDS, clean_environment
from tools.run.child import Child

# An endless sieve: when no environment is left for the next prime, the last one panics and all
# others wait for each other. The original JOS program for this test does the same.
ENDLESS_SIEVE = """
#include <inc/lib.h>

static void
sieve(envid_t right, int prime)
{
	for (int n = 2;; n++) {
		int number = prime ? ipc_recv(NULL, NULL, NULL) : n;
		if (!prime || number % prime)
			ipc_send(right, number, NULL, 0);
	}
}

void
umain(int argc, char **argv)
{
	envid_t right = fork();
	int prime = 0;

	while (right == 0) {
		prime = ipc_recv(NULL, NULL, NULL);
		cprintf("CPU %d: %d ", thisenv->env_cpunum, prime);
		right = fork();
		if (right < 0)
			panic("fork: %e", right);
	}
	sieve(right, prime);
}
"""


class GradeTest(KernelTest):
    @classmethod
    def setUpClass(cls):
        """Because of this method, check.py runs these tests one after the other. Otherwise one make
        would print that it waits for the other."""

    def test_grade_has_the_full_score(self):
        self.check()

    def test_full_score_with_smep_and_smap(self):
        self.check("QEMU=%s -cpu max" % " ".join(TREE.qemu()), "GRADEFLAGS=--mit")

    def check(self, *variables):
        output = TREE.make("-s", "grade", *variables)
        lines = output.strip().split("\n")
        for line in lines[:-1]:
            self.assertRegex(line, r"^(\w+: OK \(\d+\.\ds\)|(\d+) of \2 further checks passed|"
                                   r"Part [A-C] score: (\d+)/\3|)$", output)
        self.assertRegex(lines[-1], r"^Score: (\d+)/\1$")
        self.assertTrue(re.search(r"(?m)^dumbfork: OK", output))


class EnoughTest(KernelTest):
    slow = True

    def test_endless_sieve_passes_at_its_last_line(self):
        tree = TREE.copy_built()
        self.addCleanup(tree.remove)
        with open(tree.path("user", "primes.c"), "w", encoding="utf-8") as f:
            f.write(ENDLESS_SIEVE)
        tree.build()
        with Child([tree.path("grade-lab4"), "primes"], merge=True, tool=True, cwd=tree.root,
                   limit=MAKE_SECONDS, env=clean_environment()) as grade:
            grade.wait_for_end()
        self.assertRegex(grade.output, r"^primes: OK \(.*s\)\nPart C score: 5/5\n\nScore: 5/5\n$")


class GradeTheGraderTest(KernelTest):
    """A handful of the mistakes and variants. `make grade-the-grader` tries all of them."""

    slow = True

    def try_some(self, *args):
        with Child([TREE.path("tools", "check", "mistakes.py"), *args], merge=True, tool=True,
                   limit=MAKE_SECONDS, env=clean_environment()) as tool:
            status = tool.wait_for_end()
        return status, tool.output

    def test_mistakes_are_found(self):
        status, output = self.try_some("alloc-leaks-on-failure", "tss-direct-map",
                                       "yield-left-out")
        self.assertRegex(output, r"(?m)^caught +alloc-leaks-on-failure by page_alloc: ")
        self.assertRegex(output, r"(?m)^caught +tss-direct-map by cpu_state: .*direct map")
        self.assertRegex(output, r"(?m)^caught +yield-left-out by ")
        self.assertEqual(status, 0, output)

    def test_right_kernel_passes(self):
        status, output = self.try_some("--variants", "arguments-before-environment")
        self.assertRegex(output, r"(?m)^right +arguments-before-environment")
        self.assertEqual(status, 0, output)

    def test_mistake_that_no_run_shows_is_not_tried(self):
        status, output = self.try_some("cow-reads-too")
        self.assertIn("not tried cow-reads-too", output)
        self.assertIn("0 of 0 caught; 1 not tried", output)
        self.assertEqual(status, 0)
