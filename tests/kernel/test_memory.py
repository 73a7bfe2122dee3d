"""Small and large memory sizes; programs leak no page."""

import re

from tests.support import KernelTest

USED_MIB = 256


class MemoryTest(KernelTest):
    def check_size(self, size, cpus=1):
        output = self.run_kernel("yield yield", memory=size, cpus=cpus)
        self.assert_lines(output, [r"All done in environment 00001000\.",
                                   r"All done in environment 00001001\.",
                                   r"check_page_installed_pgdir\(\) succeeded!"],
                          no=[".*panic.*"])
        found = re.search(r"(?m)^Physical memory: (\d+)K available, base = (\d+)K, "
                          r"extended = (\d+)K$", output)
        available, base, extended = map(int, found.groups())
        self.assertEqual(available, base + extended)
        self.assertEqual(base, 639)
        # The firmware keeps a part at the top. The first MiB is not extended memory.
        usable = (min(size, USED_MIB) - 1) * 1024
        self.assertTrue(usable - 256 <= extended <= usable, output)
        said = re.findall(r"(?m)^Only the first 256 MiB of (\d+) MiB are used\.$", output)
        if size > USED_MIB:
            self.assertEqual(len(said), 1)
            self.assertAlmostEqual(int(said[0]), size, delta=2)
        else:
            self.assertEqual(said, [])

    def test_16_mib(self):
        self.check_size(16)

    def test_16_mib_32_cpus(self):
        self.check_size(16, cpus=32)

    def test_128_mib(self):
        self.check_size(128)

    def test_256_mib(self):
        self.check_size(256)

    def test_257_mib(self):
        self.check_size(257)

    def test_512_mib(self):
        self.check_size(512, cpus=2)

    def test_3072_mib(self):
        self.check_size(3072, cpus=4)

    def boots(self, memory):
        """Whether the machine boots with this memory size. If not, it must print the reason."""
        machine = self.boot("yield", memory=memory)
        machine.wait_for_screen("K>|no memory")
        machine.stop()
        if "All done in environment 00001000." in machine.output:
            return True
        self.assertRegex(machine.output, "no memory|panic.*: too little memory|"
                                         "yield: (cannot be loaded: )?out of memory")
        return False

    def test_every_small_size_boots_or_says_why(self):
        self.may_panic = True
        # In steps of 64 KiB: with the smallest sizes the boot sector fails, then the kernel has too
        # little memory, and with the largest sizes it runs.
        sizes = range(3072, (self.little_memory() + 1) * 1024, 64)
        answers = [self.boots("%dK" % size) for size in sizes]
        self.assertEqual(answers, sorted(answers), "a larger memory size does not boot")
        self.assertIn(False, answers)
        self.assertIn(True, answers)

    def test_programs_that_do_not_fit_are_refused(self):
        # More programs than fit into memory: the others are refused with a message.
        output = self.run_kernel(" ".join(["hello"] * 85), memory=self.little_memory())
        self.assertNotIn("panic", output)
        loaded = len(re.findall("(?m)^hello, world$", output))
        refused = len(re.findall("(?m)^hello: (cannot be loaded: )?out of memory$", output))
        self.assertEqual(loaded + refused, 85)
        self.assertTrue(loaded and refused)

    def free_pages(self, cmdline, cpus):
        machine = self.boot(cmdline, cpus=cpus)
        machine.run_to_prompt()
        answer = machine.command("kerninfo")
        machine.stop()
        return int(re.search(r"of which (\d+) are free", answer).group(1))

    def test_programs_leak_no_page(self):
        for cpus in (1, 4):
            with self.subTest(cpus=cpus):
                none = self.free_pages("", cpus)
                some = self.free_pages("yield dumbfork hello faultread testbss evilhello divzero"
                                       " dumbfork yield nonsense", cpus)
                self.assertEqual(some, none)
