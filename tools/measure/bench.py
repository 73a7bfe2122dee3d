#!/usr/bin/env python3
"""Measure the cost of each operation, in instructions and in time: `make bench [BASE=REV]`.

    bench.py [--base REV] [--runs N] [--no-time] [--no-side]

1. Instructions. The programs user/bench/bench*.c run once, on a machine whose clock counts
   instructions. The counts are exact and always the same. The table shows them with the budgets of
   budgets.py; `!` marks a count above its budget.
2. Time. The programs run N times on a machine at full speed. The median is only approximate: it
   depends on the load of the host.
3. Side by side. Some longer runs are compared by the host's clock (benchside.py).

With --base, the tool also builds another revision, with the benchmark programs of this revision, in
a temporary folder, and measures both in turn. obj/bench.json has all figures. The exit status is 1
if a count is above its limit (not only its budget), or if a measurement failed.
"""

import argparse
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from glob import glob
from statistics import median

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.measure.benchside import measure_side_by_side
from tools.measure.budgets import OPERATIONS, PROGRAMS, PUBLISHED_TIME, SOURCE
from tools.run.buildtree import Tree
from tools.run.machine import Machine
from tools.run.tool import ToolError, make_folder, remove_folder, run_tool

LIMIT_SECONDS = 300
COUNT_INSTRUCTIONS = ["-icount", "shift=0,sleep=off"]
# Programs repeat an operation 500 times for a count. For a time, they repeat it until about this
# number of instructions has been executed, so that the run is long enough to measure.
TIMED_INSTRUCTIONS = 20000000

BEGINS = r"bench: begins at (\d+)\r?\n"
ENDS = r"bench: ends at (\d+)\r?\n"
RESULT = r"(?m)^bench: (\w+): \d+ each \((\d+) in (\d+)\)\r?$"


class BenchError(ToolError):
    """A measurement failed. The text says why."""


def machine_options(tree, cmdline, counting=False, cpus=1):
    """The arguments of Machine() for a command line. QEMU loads the kernel without a disk: the time
    of a disk access varies, so counts would vary too."""
    return {"cpus": cpus, "limit": LIMIT_SECONDS,
            "args": ["-cpu", "qemu32", "-kernel", tree.obj("kern", "kernel"), "-append", cmdline,
                     *(COUNT_INSTRUCTIONS if counting else [])]}


def parse_results(output):
    """Parse a program's output: {operation: ticks per operation}."""
    return {name: int(ticks) / int(count) for name, ticks, count in re.findall(RESULT, output)}


def check_results(program, results):
    """Return the results if they include all operations of the program, else raise BenchError."""
    missing = [o.name for o in OPERATIONS if o.program == program and o.name not in results]
    if missing:
        raise BenchError("bench: %s does not print the cost of: %s" % (program, " ".join(missing)))
    return results


def count_program(tree, program):
    """Run a program on a machine that counts instructions. Return ({operation: instructions},
    output)."""
    with Machine(tree.qemu(), **machine_options(tree, program, counting=True)) as machine:
        machine.wait_for(ENDS + "|panic")
        output = machine.run_to_prompt()
    return check_results(program, parse_results(output)), output


class Clock:
    """Measures the length of a tick of the time stamp counter (TSC). A program prints the TSC when
    it begins and ends; when this output arrives, we read the host's clock."""

    def __init__(self):
        self.seconds = self.ticks = 0

    def time_program(self, tree, program, count):
        """Run a program at full speed; it repeats each operation `count` times. Return {operation:
        ticks per operation}."""
        cmdline = "%s,%d" % (program, count)
        with Machine(tree.qemu(), **machine_options(tree, cmdline)) as machine:
            begin = machine.wait_for(BEGINS)
            began = time.monotonic()
            end = machine.wait_for(ENDS, begin.end())
            self.seconds += time.monotonic() - began
            self.ticks += int(end.group(1)) - int(begin.group(1))
            return check_results(program, parse_results(machine.output))

    def microseconds(self, ticks):
        return ticks * self.seconds / self.ticks * 1e6


def progress(text):
    print("+ " + text, file=sys.stderr, flush=True)


# ---- Another revision ----

def git(tree, *words):
    """Run git in a tree; return its CompletedProcess."""
    return subprocess.run(["git", *words], cwd=tree.root, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)


def no_history(tree):
    """The reason why git has no history of this tree, or None if it has."""
    if not shutil.which("git"):
        return "git is not installed"
    if not os.path.exists(tree.path(".git")):
        return "this is not a git checkout"
    done = git(tree, "rev-parse", "--verify", "HEAD")
    return done.stderr.decode("utf-8", "replace").strip() or None if done.returncode else None


def checkout(revision, folder):
    """Extract a revision to an empty folder, with our benchmark programs. Return its Tree."""
    ours = Tree()
    reason = no_history(ours)
    if reason:
        raise BenchError("bench: no revision %r: %s" % (revision, reason))
    done = git(ours, "archive", "--format=tar", revision)
    if done.returncode:
        raise BenchError("bench: git knows no revision %r: %s"
                         % (revision, done.stderr.decode("utf-8", "replace").strip()))
    variables = [v for v in ours.variables if v.split("=")[0] not in ("OBJDIR", "BASE", "RUNS")]
    tree = Tree(folder, variables)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(tree.root)
    # An old revision may not have the folder user/bench.
    folder = tree.path("user", "bench")
    if not os.path.isdir(folder):
        folder = tree.path("user")
    for path in glob(ours.path("user", "bench", "bench*")):
        shutil.copy(path, folder)
    remove_unbuildable_programs(tree)
    return tree


def remove_unbuildable_programs(tree):
    """Remove the benchmark programs that need features which an old revision does not have."""
    programs = tree.programs("bench*")
    built = [tree.obj("user", name) for name in programs]
    tree.run_make("-s", "-k", "-j%d" % (os.cpu_count() or 1),
                  *(os.path.relpath(path, tree.root) for path in built))
    for name, source in programs.items():
        if not os.path.exists(tree.obj("user", name)):
            progress("does not build in the other revision: " + name)
            os.remove(tree.path(source))


# ---- All of it ----

class Subject:
    """A tree and its measurements."""

    def __init__(self, name, tree):
        self.name = name
        self.tree = tree
        self.counts = {}
        self.ticks = {o.name: [] for o in OPERATIONS}  # One entry for each run
        tree.build()
        tree.qemu()
        self.programs = [p for p in PROGRAMS if p in tree.programs()]

    def count(self):
        for program in self.programs:
            self.counts.update(count_program(self.tree, program)[0])

    def time(self, program, count, clock):
        if program not in self.programs:
            return
        for name, ticks in clock.time_program(self.tree, program, count).items():
            self.ticks[name].append(ticks)


def measure(subjects, runs):
    """Count instructions, then measure times: each program by all subjects in turn. Return the
    Clock."""
    clock = Clock()
    for subject in subjects:
        progress("counting: " + subject.name)
        subject.count()
    for run in range(runs):
        progress("timing: run %d of %d" % (run + 1, runs))
        for program in PROGRAMS:
            costs = [subjects[0].counts[o.name] for o in OPERATIONS if o.program == program]
            for subject in subjects:
                subject.time(program, TIMED_INSTRUCTIONS // max(costs) + 1, clock)
    return clock


def over(operation, count):
    """The mark of a count: !! above the limit (a test fails), ! above the budget, otherwise ""."""
    if count > operation.limit:
        return "!!"
    return "!" if operation.budget is not None and count > operation.budget else ""


def row_of(operation, subjects, clock, runs):
    """The figures of an operation, for the table and obj/bench.json. "base" is None if the other
    revision does not have the operation."""
    name = operation.name
    row = {**operation._asdict(), "mark": over(operation, subjects[0].counts[name])}
    for key, subject in zip(("ours", "base"), subjects):
        row[key] = None
        if name in subject.counts:
            row[key] = {"instructions": round(subject.counts[name], 2)}
            if runs:
                microseconds = clock.microseconds(median(subject.ticks[name]))
                row[key]["microseconds"] = round(microseconds, 3)
    if row.get("base"):
        ours, base = subjects
        row["ratio"] = {"instructions": round(base.counts[name] / ours.counts[name], 3)}
        if runs:
            ratios = [b / o for o, b in zip(ours.ticks[name], base.ticks[name])]
            row["ratio"]["time"] = round(median(ratios), 3)
    return row


def print_table(rows):
    """Print rows in columns. The first column is aligned to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.rjust(width) if i else text.ljust(width)
                        for i, (text, width) in enumerate(zip(row, widths))).rstrip())


def base_figures(row, text, figure, ratio):
    """The cells for the other revision: its figure, and the ratio to ours."""
    if not row["base"]:
        return ["-", "-"]
    return [text % row["base"][figure], "%.2f" % row["ratio"][ratio]]


def show(rows):
    """Print the table of operations."""
    timed, compared = "microseconds" in rows[0]["ours"], "base" in rows[0]
    heads = ["guest instructions", "ours", "", "budget", "limit",
             *(["base", "base/ours"] * compared), *(["us"] * timed),
             *(["base us", "base/ours"] * (timed and compared)), "JOS", "xv6", "Linux"]
    table = [heads]
    for row in rows:
        figures = [row["text"], "%.0f" % row["ours"]["instructions"], row["mark"],
                   "-" if row["budget"] is None else str(row["budget"]), str(row["limit"])]
        if compared:
            figures += base_figures(row, "%.0f", "instructions", "instructions")
        if timed:
            figures.append("%.2f" % row["ours"]["microseconds"])
        if timed and compared:
            figures += base_figures(row, "%.2f", "microseconds", "time")
        table.append([*figures, row["jos"], row["xv6"], row["linux"]])
    print_table(table)
    print("\n!  above its budget   !! above the limit, at which make check fails\n%s" % SOURCE)
    if timed:
        print("us: microseconds of plain TCG, median; compare only figures of the same run.\n"
              "On another machine, %s." % PUBLISHED_TIME)


def describe(tree):
    """The name of the revision that is checked out, with -dirty if files were changed since."""
    if no_history(tree):
        return "unknown"
    return git(tree, "describe", "--always", "--dirty").stdout.decode().strip()


def number_from_1(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def parse_arguments():
    parser = argparse.ArgumentParser(description="Measure what each operation costs.")
    parser.add_argument("--base", metavar="REV", help="compare with this revision")
    parser.add_argument("--runs", type=number_from_1, default=5, metavar="N",
                        help="number of runs for the median (5)")
    parser.add_argument("--no-time", action="store_true", help="only count instructions")
    parser.add_argument("--no-side", action="store_true", help="do not compare whole machines")
    return parser.parse_args()


def note_load():
    """Print a warning if other processes use this computer, because times are then unreliable."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 2:
        progress("this computer is busy (load %.1f, %d cores): times are unreliable; ratios too, "
                 "unless a second measurement gives the same" % (load, cores))


def run(args, trees):
    """Measure, print the tables, write obj/bench.json. Return the exit status."""
    runs = 0 if args.no_time else args.runs
    if runs:
        note_load()
    names = ["this revision", args.base][:len(trees)]
    subjects = []
    for name, tree in zip(names, trees):
        progress("building: " + name)
        subjects.append(Subject(name, tree))
    clock = measure(subjects, runs)
    rows = [row_of(operation, subjects, clock, runs) for operation in OPERATIONS]
    report = {"revision": describe(trees[0]), "base": args.base, "runs": runs, "operations": rows}
    show(rows)
    if runs and not args.no_side:
        print()
        report["side_by_side"] = sides = measure_side_by_side(subjects, runs, progress)
        print_table([["side by side, by the host's clock", "ours",
                      *(["base"] if len(subjects) > 1 else []), "JOS", "goal"],
                     *([side["text"], side["ours"], *([side["base"]] if "base" in side else []),
                        side["jos"], side["goal"]] for side in sides)])
    with open(trees[0].obj("bench.json"), "w", encoding="utf-8") as f:
        json.dump(report, f, indent=1)
        f.write("\n")
    return 1 if any(row["mark"] == "!!" for row in rows) else 0


def main():
    args = parse_arguments()
    trees = [Tree()]
    folder = make_folder("jos-base-")
    try:
        if args.base:
            trees.append(checkout(args.base, folder))
        return run(args, trees)
    finally:
        remove_folder(folder)


if __name__ == "__main__":
    run_tool(main)
