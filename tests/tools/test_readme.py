"""The transcript in README.md is what the first of its two lines prints."""

import collections
import re

from tests.support import TREE, KernelTest

PROMPT = "K>"


class ReadmeTest(KernelTest):
    def transcript(self):
        """The lines of the transcript, and the number of CPUs of the command above it."""
        with open(TREE.path("README.md"), encoding="utf-8") as f:
            text = f.read()
        command = re.search(r"(?m)^ +conf/setup && make qemu-nox CPUS=(\d+)$", text)
        block = re.search(r"(?s)```\n(6828 .*?)```", text)
        return block[1].splitlines(), int(command[1])

    def test_transcript_is_what_is_printed(self):
        shown, cpus = self.transcript()
        printed = self.run_kernel("yield yield yield", cpus=cpus).rstrip().splitlines()
        printed = printed[printed.index(shown[0]):]

        # Before the programs run, and after they have ended, only one CPU prints.
        start = next(i for i, line in enumerate(shown) if line.startswith("Hello"))
        self.assertEqual(printed[:start], shown[:start])
        end = shown.index("No runnable environments in the system!") - 1
        self.assertEqual(printed[-len(shown[end:]):], shown[end:])
        self.assertEqual(shown[-1], PROMPT)

        # Between that, environments run at the same time. "..." stands for lines that are left out.
        middle = [line for line in shown[start:end] if line.strip() != "..."]
        self.assertLess(len(middle), end - start)
        left = collections.Counter(printed)
        left.subtract(middle)
        self.assertEqual([line for line, count in left.items() if count < 0], [])
