"""user/fuzz/fuzz.c makes wrong system calls, on several CPUs, with several seeds. `make fuzz` makes
more of them."""

from tests.support import ICOUNT, KernelTest
from tools.check.fuzz import FuzzError, fuzz, run_all

HANG_SECONDS = 300


class FuzzTest(KernelTest):
    """50,000 calls in all."""

    slow = True

    def fuzz(self, seed, calls, **options):
        machine = self.boot("", limit=HANG_SECONDS, **options)
        return fuzz(machine, seed, calls)

    def test_1_cpu(self):
        self.fuzz(1, 10000)

    def test_2_cpus(self):
        self.fuzz(11, 15000, cpus=2)

    def test_4_cpus(self):
        self.fuzz(21, 15000, cpus=4)

    def test_newest_cpu(self):
        self.fuzz(31, 5000, cpus=2, args=["-cpu", "max"])

    def test_little_memory(self):
        self.fuzz(41, 5000, cpus=2, memory=self.little_memory())  # Some calls run out of memory.

    def test_same_seed_does_the_same(self):
        outputs = {self.run_kernel("fuzz,51,2000", args=ICOUNT) for _ in range(2)}
        self.assertEqual(len(outputs), 1)
        self.assert_lines(outputs.pop(), [r"fuzz: seed 51: 2\d{3} calls, \d+ children, "
                                          r"\d+ ended by the kernel, CPUs used: 0"])

    def test_breakpoint_is_continued_and_errors_are_reported(self):
        machine = self.boot("")
        self.assertIn("exiting gracefully", run_all(machine, "run breakpoint hello"))
        self.assertRaisesRegex(FuzzError, "No program", run_all, machine, "run nonsense")
