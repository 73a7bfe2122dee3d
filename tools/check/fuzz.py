#!/usr/bin/env python3
"""Run user/fuzz/fuzz.c on machines with 1, 2, 4 and 8 CPUs, with many seeds: `make fuzz`.

    fuzz.py [--calls N] [--seed N] [--cpus N] [-j JOBS]

The system calls are divided among several machines. A machine runs several copies of the program,
each with a different seed. The tool prints a line for each machine: seed, CPUs, and the result. The
exit status is 0 if on all machines

- the kernel did not panic, and the machine was not reset and did not hang;
- every call returned an allowed value;
- at the end no environment was left, and as many pages were free as at the start.

The output of a machine that failed is kept in obj/fuzz/. Its line has the options that repeat the
run: fuzz.py --seed SEED --cpus CPUS --calls CALLS.
"""

import argparse
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.run.buildtree import Tree
from tools.run.child import ChildError, end_all, last_lines
from tools.run.machine import PROMPT, Machine
from tools.run.tool import SIGNAL_SECONDS, run_tool

MACHINE_CALLS = 50000
MACHINE_CPUS = (1, 2, 4, 8)
MAX_COPIES = 4
LIMIT_SECONDS = 300

# The kernel must print this when all environments are gone.
END = re.compile(r"(?m)^audit: \d+ pages, 0 environments, balanced\n"
                 r"No runnable environments in the system!$")

# Wrong flags in a program's trap frame, outside virtual-8086 mode: IOPL is not 0, or IF is 0.
BAD_FLAGS = (r"  cs   0x----001b\r?\n"
             r"  flag 0x\w{3}[014589cd](?:[1235679abdef]\w{3}|\w[014589cd]\w\w)")
BAD = (r".*(kernel panic|audit: \d+ errors|fuzz: WRONG|user panic|out of memory|%s).*\n"
       % BAD_FLAGS)


class FuzzError(AssertionError):
    """The kernel did something that no user program may cause. The text says what."""


def programs(seed, calls, cpus):
    """The command line: a copy of the program for each CPU, up to MAX_COPIES, with its seed."""
    copies = min(cpus, MAX_COPIES)
    return " ".join("fuzz,%d,%d" % (seed + i, -(-calls // copies)) for i in range(copies))


def free_pages(machine):
    """The number of free pages, from the kernel's monitor."""
    return int(re.search(r"of which (\d+) are free", machine.command("kerninfo")).group(1))


def run_all(machine, line):
    """Type a line at the monitor's prompt; return the output until all environments are gone. If an
    environment executes a breakpoint instruction, type `continue`."""
    begin = start = machine.wait_for(PROMPT).end()
    machine.send(line + "\n")
    while True:
        end = machine.wait_for(PROMPT + "|" + BAD, start).end()
        text = machine.output[start:end].replace("\r", "")
        bad = re.search(BAD, text)
        if bad:
            raise FuzzError(bad.group())
        if END.search(text):
            return machine.output[begin:end].replace("\r", "")
        if "Breakpoint" not in text:
            raise FuzzError("the machine stopped:\n" + last_lines(text))
        start = end
        machine.send("continue\n")


def fuzz(machine, seed, calls):
    """Run the fuzzer on a machine that was started without a program. Return (number of calls,
    number of children, number of children that the kernel ended, set of CPUs that were used); or
    raise FuzzError."""
    before = free_pages(machine)
    line = programs(seed, calls, machine.cpus)
    output = run_all(machine, "run " + line)
    results = re.findall(r"fuzz: seed \d+: (\d+) calls, (\d+) children, (\d+) ended by the kernel, "
                         r"CPUs used:((?: \d+)+)\n", output)
    if len(results) != len(line.split()):
        raise FuzzError("only %d of %d copies ended" % (len(results), len(line.split())))
    after = free_pages(machine)
    if after != before:
        raise FuzzError("%d pages were free before, %d are now" % (before, after))
    totals = [sum(int(result[i]) for result in results) for i in range(3)]
    cpus = {int(cpu) for result in results for cpu in result[3].split()}
    if totals[0] < calls:
        raise FuzzError("only %d of %d calls were made" % (totals[0], calls))
    if cpus != set(range(machine.cpus)):
        raise FuzzError("of %d CPUs only %s were used" % (machine.cpus, sorted(cpus)))
    return (*totals, cpus)


class Campaign:
    """A series of machines with different seeds and numbers of CPUs. Thread-safe."""

    def __init__(self, tree, plan):
        self.tree = tree
        self.plan = plan  # The machines not yet started: (seed, CPUs, calls)
        self.totals = [0, 0, 0]
        self.failed = self.passed = 0
        self._lock = threading.Lock()
        self._image = tree.disk_image("")

    def work(self):
        """Run machines until the plan is empty."""
        while True:
            with self._lock:
                if not self.plan:
                    return
                task = self.plan.pop(0)
            self._run_one(*task)

    def _run_one(self, seed, cpus, calls):
        name = "--seed %d --cpus %d --calls %d" % (seed, cpus, calls)
        started = time.monotonic()
        failure, state, machine = None, "", None
        try:
            with Machine(self.tree.qemu(), disk=self._image, cpus=cpus,
                         limit=LIMIT_SECONDS) as machine:
                try:
                    *totals, _ = fuzz(machine, seed, calls)
                except ChildError:
                    state = machine.monitor("info registers -a")  # Shows where the CPUs hang
                    raise
        except (FuzzError, ChildError) as e:
            failure = str(e)
        with self._lock:
            if failure:
                self.failed += 1
                print("FAIL %s: %s" % (name, failure))
                self._keep(name, machine, state)
            else:
                self.passed += 1
                self.totals = [a + b for a, b in zip(self.totals, totals)]
                print("ok %s: %d calls, %d children, %d ended by the kernel (%.0fs)"
                      % (name, *totals, time.monotonic() - started))
            sys.stdout.flush()

    def _keep(self, name, machine, state):
        if not machine:
            return
        path = self.tree.obj("fuzz", name.replace("--", "").replace(" ", "-") + ".txt")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(machine.output + state)
        print("    its output is in " + os.path.relpath(path, self.tree.root))


def make_plan(seed, calls, cpus):
    """Divide the calls among machines: [(seed, CPUs, calls)]."""
    plan = []
    while calls > 0:
        count = cpus or MACHINE_CPUS[len(plan) % len(MACHINE_CPUS)]
        plan.append((seed, count, min(calls, MACHINE_CALLS)))
        seed += min(count, MAX_COPIES)
        calls -= MACHINE_CALLS
    return plan


def parse_arguments():
    parser = argparse.ArgumentParser(description="Make random system calls.")
    parser.add_argument("--calls", type=int, default=1000000,
                        help="total number of system calls (%(default)s)")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000 * 1000 + 1,
                        help="the first seed (default: depends on the time)")
    parser.add_argument("--cpus", type=int,
                        help="number of CPUs of each machine (default: 1, 2, 4 and 8)")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1,
                        help="run JOBS machines at the same time (default: the number of cores)")
    args = parser.parse_args()
    if min(args.calls, args.seed, args.jobs, args.cpus or 1) < 1:
        parser.error("all options need a number greater than 0")
    return args


def main():
    args = parse_arguments()
    plan = make_plan(args.seed, args.calls, args.cpus)
    machines, last_seed = len(plan), plan[-1][0] + min(plan[-1][1], MAX_COPIES) - 1
    counts = sorted({cpus for _, cpus, _ in plan})
    campaign = Campaign(Tree(), plan)
    campaign.tree.qemu()
    threads = [threading.Thread(target=campaign.work, daemon=True) for _ in range(args.jobs)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(SIGNAL_SECONDS)
    except KeyboardInterrupt:
        end_all()
        raise
    print("fuzz: seeds %d to %d, %s CPUs: %d calls, %d children, %d ended by the kernel; "
          "%d machines, %d failed" % (args.seed, last_seed, ", ".join(map(str, counts)),
                                      *campaign.totals, machines, campaign.failed))
    return 1 if campaign.failed or campaign.passed != machines else 0


if __name__ == "__main__":
    run_tool(main)
