"""Little memory, much memory, and that none is lost."""

import re

from support import KernelTest

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
        # The firmware keeps a little at the top, and the first MiB is not extended memory.
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

    def test_every_small_size_boots_or_says_why(self):
        boots = []
        for size in range(2, 16):
            with self.subTest(mib=size):
                machine = self.boot("yield", memory=size)
                machine.wait_for_screen("K>|no memory")
                text = machine.output
                if "All done in environment 00001000." in text:
                    boots.append(size)
                else:
                    self.assertRegex(text, "no memory|panic.*: too little memory")
                    self.assertEqual(boots, [], "a smaller machine did boot")
                machine.stop()

    def test_memory_that_runs_out(self):
        # More programs than there is memory for: each that is not loaded says so, none hurts.
        machine = self.boot(" ".join(["hello"] * 85), memory=8)
        output = machine.run_to_prompt()
        self.assertNotIn("panic", output)
        self.assertGreater(len(re.findall("hello, world", output)), 0)

    def free_pages(self, cmdline, cpus):
        machine = self.boot(cmdline, cpus=cpus)
        machine.run_to_prompt()
        answer = machine.command("kerninfo")
        machine.stop()
        return int(re.search(r"of which (\d+) are free", answer).group(1))

    def test_no_page_is_lost(self):
        for cpus in (1, 4):
            with self.subTest(cpus=cpus):
                none = self.free_pages("", cpus)
                some = self.free_pages("yield dumbfork hello faultread testbss evilhello divzero"
                                       " dumbfork yield nonsense", cpus)
                self.assertEqual(some, none)
