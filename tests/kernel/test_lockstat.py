"""The monitor's lockstat: what the big lock costs each CPU, and whether that is true."""

import re
from collections import namedtuple

from tests.support import NO_HURRY, KernelTest

Stat = namedtuple("Stat", "cpu taken contended slept waited held")
CALLS = 100000  # So many take long enough for CPUs to come in each other's way.


class LockstatTest(KernelTest):
    def read_stats(self, machine):
        """What lockstat says of each CPU."""
        rows = re.findall(r"(?m)^ *(\d+)" + r" +(\d+)" * 5 + "$", machine.command("lockstat"))
        stats = [Stat(*map(int, row)) for row in rows]
        self.assertEqual([stat.cpu for stat in stats], list(range(machine.cpus)))
        return stats

    def start_at_prompt(self, cmdline="", args=(), **options):
        # QEMU itself loads the kernel, since a disk answers when it likes.
        machine = self.start(args=["-kernel", self.kernel(), "-append", cmdline, *args], **options)
        machine.run_to_prompt()
        return machine

    def run_calls(self, machine, calls):
        """Run a program that takes the lock so often; return CPU 0's figures thereafter."""
        machine.command("run lockcalls,%d" % calls)
        return self.read_stats(machine)[0]

    def test_counts_what_a_program_did(self):
        # On one CPU whose clock counts instructions, two runs differ by their calls alone.
        taken = []
        for calls in (1000, 1000, 3500):
            machine = self.start_at_prompt("lockstat=on lockcalls,%d" % calls, NO_HURRY)
            stat = self.read_stats(machine)[0]
            taken.append(stat.taken)
            self.assertEqual(stat[2:5], (0, 0, 0))
        self.assertEqual([n - taken[0] for n in taken], [0, 0, 2500])

    def test_time_held_is_measured_from_on_to_off(self):
        machine = self.start_at_prompt(args=NO_HURRY)
        machine.command("lockstat on")
        short = self.run_calls(machine, 10000).held
        long = self.run_calls(machine, 30000).held - short
        self.assertGreater(short, 0)
        self.assertGreater(long, short)
        machine.command("lockstat off")
        held = self.read_stats(machine)[0].held
        self.assertEqual(self.run_calls(machine, 10000).held, held)
        self.assertIn("Usage: lockstat", machine.command("lockstat maybe"))

    def test_contended(self):
        for cpus in (2, 4):
            machine = self.start_at_prompt(cpus=cpus)
            machine.command("lockstat on")
            before = self.read_stats(machine)
            machine.command("run" + " lockcalls,%d" % CALLS * cpus)
            after = self.read_stats(machine)
            made = [Stat(a.cpu, *(y - x for x, y in zip(b[1:], a[1:])))
                    for b, a in zip(before, after)]
            self.assertGreaterEqual(sum(stat.taken for stat in made), cpus * CALLS)
            self.assertGreater(min(stat.taken for stat in made), 0)
            for figure in ("contended", "waited", "held"):
                self.assertGreater(sum(getattr(stat, figure) for stat in made), 0, figure)
            for stat in made:
                self.assertLessEqual(stat.contended, stat.taken)
