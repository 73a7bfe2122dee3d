"""The grade, as a user sees it."""

import re

from tests.support import TREE, KernelTest
from tools.run.buildtree import MAKE_SECONDS, clean_environment
from tools.run.child import Child

# A sieve without an end: the environment that finds none for the next prime panics, and all
# others wait for each other. JOS's own program for this test is like that.
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
        """tools/check/check.py runs the tests of a class that has this one after the other. At the
        same time, one make would print that it waits for the other."""

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


class EnoughTest(KernelTest):
    slow = True

    def test_sieve_without_an_end(self):
        tree = TREE.copy_built()
        self.addCleanup(tree.remove)
        with open(tree.path("user", "primes.c"), "w", encoding="utf-8") as f:
            f.write(ENDLESS_SIEVE)
        tree.build()
        with Child([tree.path("grade-lab4"), "primes"], merge=True, tool=True, cwd=tree.root,
                   limit=MAKE_SECONDS, env=clean_environment()) as grade:
            grade.wait_for_end()
        self.assertRegex(grade.output, r"^primes: OK \(.*s\)\nPart C score: 5/5\n\nScore: 5/5\n$")
