"""Measurements by the host's clock of longer runs: the side-by-side table of bench.py.

Each measurement is repeated `runs` times, the subjects in turn; the table shows medians. They are
approximate, and useless while the host is busy. No test depends on them.
"""

import os
import time
from statistics import median

from tools.run.machine import Machine

LIMIT_SECONDS = 300
DONE = "No runnable environments in the system!"
FIRST_LINE = "Hello, I am environment"  # Of user/yield.c
BOOTING = "Booting from Hard Disk"
BEGINS = "bench: begins"
NEW = "new env"
SIEVE_CPUS = (1, 2, 4, 8)
LAST_PRIME = r"CPU \d+: 1877 "  # JOS's grader stops here; the program continues to 8147.
IDLE_SECONDS = 2.0
# With this option, the BIOS prints on the serial line, too.
BIOS_ON_SERIAL = ["-machine", "pc,graphics=off"]


def seconds_between(machine, first, last):
    """The time between two texts on a machine's serial line."""
    end = machine.wait_for(first).end()
    began = time.monotonic()
    machine.wait_for(last, end)
    return time.monotonic() - began


def run_seconds(tree, cmdline, cpus, begin, end=DONE):
    """The time from the output `begin` to the output `end` (default: no environment is left)."""
    with Machine(tree.qemu(), ["-kernel", tree.obj("kern", "kernel"), "-append", cmdline],
                 cpus=cpus, limit=LIMIT_SECONDS) as machine:
        return seconds_between(machine, begin, end)


def boot_seconds(tree):
    """The time from the BIOS's last line to a program's first line, with 4 CPUs."""
    with Machine(tree.qemu(), BIOS_ON_SERIAL, disk=tree.disk_image("yield"), cpus=4,
                 limit=LIMIT_SECONDS) as machine:
        return seconds_between(machine, BOOTING, FIRST_LINE)


def cpu_seconds(pid):
    """The CPU time of a process; None if the system has no /proc."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            words = f.read().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def idle_share(tree):
    """The share of a host CPU that QEMU uses while 4 CPUs are idle at the monitor's prompt."""
    with Machine(tree.qemu(), disk=tree.disk_image("yield"), cpus=4,
                 limit=LIMIT_SECONDS) as machine:
        machine.run_to_prompt()
        began, before = time.monotonic(), cpu_seconds(machine.pid)
        time.sleep(IDLE_SECONDS)
        after = cpu_seconds(machine.pid)
        if before is None or after is None:
            return None
        return (after - before) / (time.monotonic() - began)


class Side:
    """A measurement, a row of the table.

    text           describes it
    jos, goal      JOS's figure and our goal, as text
    program        the user program that it needs
    measure(tree)  returns the figures of a run
    show(figures)  the list of all runs' figures as text
    """

    def __init__(self, text, jos, goal, program, measure, show):
        self.text, self.jos, self.goal, self.program = text, jos, goal, program
        self._measure, self._show = measure, show

    def measure(self, tree):
        """The figures of a run, or None if the tree does not have the program."""
        if self.program in tree.programs():
            return self._measure(tree)
        return None

    def show(self, figures):
        return "-" if None in figures else self._show(figures)


def show_speedup(pairs):
    return "%.2f times as fast (%.2f s, %.2f s)" % (
        median(one / many_cpus for one, many_cpus in pairs),
        median(one for one, _ in pairs), median(many_cpus for _, many_cpus in pairs))


def show_sieve(runs):
    """The speed with 4 CPUs compared with 1 CPU, and the times of all SIEVE_CPUS."""
    times = ["%d: %.2f s" % (cpus, median(run[i] for run in runs))
             for i, cpus in enumerate(SIEVE_CPUS)]
    return "%.2f times as fast (%s)" % (
        median(run[0] / run[SIEVE_CPUS.index(4)] for run in runs), ", ".join(times))


def show_share(shares):
    return "%.1f %% of one" % (100 * median(shares))


SIDES = [
    Side("primes to 1877, CPUS=4 against CPUS=1, and 2, 8", "0.15 times (1: 2.3 s, 4: 15.1 s)",
         "above 1 times, under 1.5 s", "primes",
         lambda tree: tuple(run_seconds(tree, "primes", n, NEW, LAST_PRIME) for n in SIEVE_CPUS),
         show_sieve),
    Side("primes to 8147, all environments, CPUS=4 against CPUS=1", "-", "above 1 times",
         "primes",
         lambda tree: tuple(run_seconds(tree, "primes", n, NEW) for n in (1, 4)), show_speedup),
    Side("four programs that compute, CPUS=2 against CPUS=1", "-", "1.9 times", "benchspin",
         lambda tree: tuple(run_seconds(tree, " ".join(["benchspin,100000"] * 4), n, BEGINS)
                            for n in (1, 2)), show_speedup),
    Side("four CPUs idle at the prompt: host CPU used", "all wake 100 times a second",
         "under 2 %", "yield", idle_share, show_share),
    Side("from the BIOS to a program's first line, CPUS=4", "0.20 - 0.22 s", "under 0.10 s",
         "yield", boot_seconds, lambda seconds: "%.3f s at best" % min(seconds)),
]


def measure_side_by_side(subjects, runs, progress):
    """Run all measurements for one or two subjects, in turn. Return a list of dictionaries, for the
    table and for obj/bench.json."""
    rows = []
    for side in SIDES:
        progress("side by side: " + side.text)
        figures = [[] for _ in subjects]
        for _ in range(runs):
            for subject, runs_of_subject in zip(subjects, figures):
                runs_of_subject.append(side.measure(subject.tree))
        rows.append({"text": side.text, "jos": side.jos, "goal": side.goal, "runs": figures,
                     **{key: side.show(values) for key, values in zip(("ours", "base"), figures)}})
    return rows
