#!/usr/bin/env python3
"""Run programs that race, on a kernel with random delays: `make stress SEEDS=100`.

    stress.py [-v] [-j N] [--seeds N] [--first SEED] [--cpus N,...] [PROGRAM...]

Each program runs with each seed on each number of CPUs. The tool prints a line for each run; the
exit status is 0 if no run failed. The delays come from the kernel's option jitter=SEED
(kern/check/jitter.c).

On one CPU, a run with the same seed repeats exactly, to the instruction: QEMU's clock counts
instructions, and QEMU loads the kernel without a disk, because the time of a disk access varies.
On several CPUs, a run with the same seed is only likely to repeat.
"""

import argparse
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.grade.gradelib import match, result_of
from tools.run.buildtree import Tree
from tools.run.child import ChildError, end_all, last_lines
from tools.run.machine import Machine
from tools.run.tool import run_tool

LIMIT_SECONDS = 300
COUNT_INSTRUCTIONS = ["-icount", "shift=0,sleep=off"]
CPU_COUNTS = [1, 2, 4, 8]

END = "No runnable environments in the system!"
NEVER = [".*panic.*", ".*user fault.*", ".*ran on two CPUs at once.*", "TRAP frame.*"]

# The lines that each program must print.
LINES = {
    "stress": [r"stress: seed \d+, [1-9]\d* forks, [1-9]\d* messages, [1-9]\d* destroyed: ok"],
    "ipcorder": ["ipcorder: ok"],
    "ipccall": ["ipccall: ok"],
    "preempt": ["preempt: all environments ran beside 10 endless loops",
                "preempt: no register has changed"],
    "gone": ["gone: 500 rounds"],
    "stresssched": [r"\[%08x\] stresssched on CPU \d" % (0x1001 + i) for i in range(20)],
    "forktree": ["....: I am '%s'" % path for path in ("000", "011", "100", "111")],
    "pingpongs": ["100[01] got 10 from 100[01] .*"],
    "fairness": ["fairness: 4 environments sent, each in its turn"],
    "fairwait": [r"fairwait: 21 environments on \d CPU\(s\) waited for at most \d+ turns of "
                 "others"],
    "primeslast": ["primeslast: 1024 environments, up to prime 8147, then: out of environments",
                   "primeslast: all are gone"],
}
# {program: N}: run only with every Nth seed. primeslast takes as long as all others together.
SEED_INTERVAL = {"primeslast": 10}


def machine_options(kernel, program, seed, cpus):
    """The arguments of Machine() for a run."""
    return {"cpus": cpus, "limit": LIMIT_SECONDS,
            "args": ["-kernel", kernel, "-append", "jitter=%d %s" % (seed, program),
                     *(COUNT_INSTRUCTIONS if cpus == 1 else [])]}


def complaints(output, program, seed, cpus):
    """Return the errors in the output of a run, as a list of lines."""
    output = output.replace("\r", "")
    found = match(output, ["jitter: seed %d" % seed, END, *LINES[program],
                           *("SMP: CPU %d starting" % cpu for cpu in range(1, cpus))], NEVER)
    created = re.findall(r"\[\w{8}\] new env (\w{8})", output)
    freed = re.findall(r"\[\w{8}\] free env (\w{8})", output)
    if sorted(created) != sorted(freed):
        found.append("not freed, or freed twice: " + " ".join(sorted(set(created) ^ set(freed))))
    return found


class Run:
    """A run of a program with a seed, on some number of CPUs."""

    def __init__(self, program, seed, cpus):
        self.program, self.seed, self.cpus = program, seed, cpus
        self.output, self.wrong, self.seconds = "", [], 0

    def go(self, tree):
        """Run the program; return self, with the results in output, wrong and seconds."""
        started = time.monotonic()
        options = machine_options(tree.obj("kern", "kernel"), self.program, self.seed, self.cpus)
        try:
            with Machine(tree.qemu(), **options) as machine:
                try:
                    machine.run_to_prompt()
                finally:
                    self.output = machine.output
            self.wrong = complaints(self.output, self.program, self.seed, self.cpus)
        except ChildError as e:
            self.wrong = [str(e)]
        self.seconds = time.monotonic() - started
        return self

    def report(self, verbose):
        """Print the result."""
        print("%s jitter=%d %s, %d CPU%s (%.1fs)" % (
            "FAIL" if self.wrong else "ok", self.seed, self.program, self.cpus,
            "s" if self.cpus > 1 else "", self.seconds))
        if self.wrong:
            print("    " + "\n".join(self.wrong).replace("\n", "\n    "))
            print("    to repeat: make stress SEEDS=1 FIRST=%d STRESS='--cpus %d -v %s'%s" % (
                self.seed, self.cpus, self.program,
                "" if self.cpus == 1 else ", perhaps many times: SEEDS=50"))
        if verbose or self.wrong:
            print(last_lines(self.output, sys.maxsize if verbose else 20))
        sys.stdout.flush()


def all_runs(args):
    """The runs that the command line selects, in order."""
    return [Run(program, seed, cpus)
            for seed in range(args.first, args.first + args.seeds)
            for program in args.programs or LINES
            for cpus in args.cpus
            if args.programs or seed % SEED_INTERVAL.get(program, 1) == 0]


def number_from_1(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def cpu_counts(text):
    return [number_from_1(word) for word in text.split(",")]


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Run programs that race, on a kernel with random delays.")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=" ".join(LINES))
    parser.add_argument("-v", "--verbose", action="store_true", help="print all output")
    parser.add_argument("-j", "--jobs", type=number_from_1, default=os.cpu_count() or 1,
                        metavar="N",
                        help="do N runs at the same time (default: the number of cores)")
    parser.add_argument("--seeds", type=number_from_1, default=10, metavar="N",
                        help="number of seeds (10)")
    parser.add_argument("--first", type=number_from_1, default=1, metavar="SEED",
                        help="the first seed (1)")
    parser.add_argument("--cpus", type=cpu_counts, default=CPU_COUNTS, metavar="N,...",
                        help="numbers of CPUs (%s)" % ",".join(map(str, CPU_COUNTS)))
    args = parser.parse_args()
    for program in args.programs:
        if program not in LINES:
            parser.error("the programs are: " + " ".join(LINES))
    return args


def main():
    args = parse_arguments()
    tree = Tree()
    tree.build()
    tree.qemu()
    tree.objdir()
    runs = all_runs(args)
    failed = 0
    with ThreadPoolExecutor(args.jobs) as pool:
        try:
            for future in [pool.submit(run.go, tree) for run in runs]:
                run = result_of(future)
                run.report(args.verbose)
                failed += bool(run.wrong)
        except BaseException:
            end_all()
            raise
    print("%d runs, %d failed" % (len(runs), failed))
    return 1 if failed or not runs else 0


if __name__ == "__main__":
    run_tool(main)
