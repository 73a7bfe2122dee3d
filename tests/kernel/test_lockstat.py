"""The monitor's command lockstat: its statistics of the big lock are right."""

import re
from collections import namedtuple

from tests.support import ICOUNT, KernelTest

Stat = namedtuple("Stat", "cpu taken contended slept waited held")
CALLS = 100000  # Enough for CPUs to contend for the lock


class LockstatTest(KernelTest):
    def read_stats(self, machine):
        """The statistics of each CPU, from lockstat."""
        rows = re.findall(r"(?m)^ *(\d+)" + r" +(\d+)" * 5 + "$", machine.command("lockstat"))
        stats = [Stat(*map(int, row)) for row in rows]
        self.assertEqual([stat.cpu for stat in stats], list(range(machine.cpus)))
        return stats

    def start_at_prompt(self, cmdline="", args=(), **options):
        # QEMU loads the kernel, because a disk answers after a random time.
        machine = self.start(args=["-kernel", self.kernel(), "-append", cmdline, *args], **options)
        machine.run_to_prompt()
        return machine

    def run_calls(self, machine, calls):
        """Run a program that makes this number of calls. Returns CPU 0's statistics."""
        machine.command("run lockcalls,%d" % calls)
        return self.read_stats(machine)[0]

    def test_counts_each_call_of_a_program(self):
        # With a clock that counts instructions, runs differ only by the number of calls.
        taken = []
        for calls in (1000, 1000, 3500):
            machine = self.start_at_prompt("lockstat=on lockcalls,%d" % calls, ICOUNT)
            stat = self.read_stats(machine)[0]
            taken.append(stat.taken)
            self.assertEqual(stat[2:5], (0, 0, 0))
        self.assertEqual([n - taken[0] for n in taken], [0, 0, 2500])

    def test_holding_time_is_measured_from_on_to_off(self):
        machine = self.start_at_prompt(args=ICOUNT)
        machine.command("lockstat on")
        short = self.run_calls(machine, 10000).held
        long = self.run_calls(machine, 30000).held - short
        self.assertGreater(short, 0)
        self.assertGreater(long, short)
        machine.command("lockstat off")
        held = self.read_stats(machine)[0].held
        self.assertEqual(self.run_calls(machine, 10000).held, held)
        self.assertIn("Usage: lockstat", machine.command("lockstat maybe"))

    def test_contended_lock_has_waiting_time(self):
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
