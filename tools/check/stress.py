#!/usr/bin/env python3
"""Run programs that race on a kernel that is slow at random moments: `make stress SEEDS=100`.

    stress.py [-v] [-j N] [--seeds N] [--first SEED] [--cpus N,...] [PROGRAM...]

Each program runs with each seed on each number of CPUs; one line is printed a run, and the status
is 0 only if all went well. The kernel's option jitter=SEED (kern/check/jitter.c) makes it slow. The
kernel is loaded by QEMU itself: a disk answers when it likes. So on one CPU, whose clock counts
instructions, a run with the same seed is the same run, to the instruction; on several CPUs it is
just a likely one.
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

# What each program says when it has found everything in order.
LINES = {
    "stress": [r"stress: seed \d+, [1-9]\d* forks, [1-9]\d* messages, [1-9]\d* destroyed: ok"],
    "ipcorder": ["ipcorder: ok"],
    "ipccall": ["ipccall: ok"],
    "preempt": ["preempt: 10 children that loop for ever kept nobody from running",
                "preempt: no register was lost"],
    "gone": ["gone: 500 rounds"],
    "stresssched": [r"\[%08x\] stresssched on CPU \d" % (0x1001 + i) for i in range(20)],
    "forktree": ["....: I am '%s'" % path for path in ("000", "011", "100", "111")],
    "pingpongs": ["100[01] got 10 from 100[01] .*"],
    "fairness": ["fairness: 4 environments sent, each in its turn"],
    "fairwait": [r"fairwait: 21 environments on \d CPU\(s\) waited for at most \d+ turns of others"],
    "primeslast": ["primeslast: 1024 environments, up to prime 8147, then: out of environments",
                   "primeslast: all are gone"],
}
# It takes as long as all of the others, so it runs with every so manieth seed.
RARELY = {"primeslast": 10}


def machine_options(kernel, program, seed, cpus):
    """What a Machine needs for a run."""
    return {"cpus": cpus, "limit": LIMIT_SECONDS,
            "args": ["-kernel", kernel, "-append", "jitter=%d %s" % (seed, program),
                     *(COUNT_INSTRUCTIONS if cpus == 1 else [])]}


def complaints(output, program, seed, cpus):
    """What is wrong with the output of a run, as a list of lines."""
    output = output.replace("\r", "")
    found = match(output, ["jitter: seed %d" % seed, END, *LINES[program],
                           *("SMP: CPU %d starting" % cpu for cpu in range(1, cpus))], NEVER)
    came = re.findall(r"\[\w{8}\] new env (\w{8})", output)
    went = re.findall(r"\[\w{8}\] free env (\w{8})", output)
    if sorted(came) != sorted(went):
        found.append("not freed, or freed twice: " + " ".join(sorted(set(came) ^ set(went))))
    return found


class Run:
    """One program, with one seed, on some CPUs."""

    def __init__(self, program, seed, cpus):
        self.program, self.seed, self.cpus = program, seed, cpus
        self.output, self.wrong, self.seconds = "", [], 0

    def go(self, tree):
        """Run it; return itself, with how it went."""
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
        """Print how it went."""
        print("%s jitter=%d %s, %d CPU%s (%.1fs)" % (
            "FAIL" if self.wrong else "ok", self.seed, self.program, self.cpus,
            "s" if self.cpus > 1 else "", self.seconds))
        if self.wrong:
            print("    " + "\n".join(self.wrong).replace("\n", "\n    "))
            print("    again: make stress SEEDS=1 FIRST=%d STRESS='--cpus %d -v %s'%s" % (
                self.seed, self.cpus, self.program,
                "" if self.cpus == 1 else ", which may take many tries: SEEDS=50, say"))
        if verbose or self.wrong:
            print(last_lines(self.output, sys.maxsize if verbose else 20))
        sys.stdout.flush()


def all_runs(args):
    """The runs that are asked for, in their order."""
    return [Run(program, seed, cpus)
            for seed in range(args.first, args.first + args.seeds)
            for program in args.programs or LINES
            for cpus in args.cpus
            if args.programs or seed % RARELY.get(program, 1) == 0]


def number_from_1(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def cpu_counts(text):
    return [number_from_1(word) for word in text.split(",")]


def parse_arguments():
    parser = argparse.ArgumentParser(description="Run programs that race, with jitter.")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=" ".join(LINES))
    parser.add_argument("-v", "--verbose", action="store_true", help="show all output")
    parser.add_argument("-j", "--jobs", type=number_from_1, default=os.cpu_count() or 1,
                        metavar="N", help="so many runs at the same time (as there are cores)")
    parser.add_argument("--seeds", type=number_from_1, default=10, metavar="N",
                        help="so many seeds (10)")
    parser.add_argument("--first", type=number_from_1, default=1, metavar="SEED",
                        help="the first seed (1)")
    parser.add_argument("--cpus", type=cpu_counts, default=CPU_COUNTS, metavar="N,...",
                        help="how many CPUs (%s)" % ",".join(map(str, CPU_COUNTS)))
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
