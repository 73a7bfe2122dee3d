#!/usr/bin/env python3
"""What each operation costs, in instructions and in time: `make bench [BASE=REV]`.

    bench.py [--base REV] [--runs N] [--no-time] [--no-side]

The programs user/bench/bench*.c are run twice over. Once on a machine whose clock counts
instructions: that is exact, and the same each time. Then N times on a machine that runs as fast as it can: the
median is printed, and no more than a hint, since it depends on what else your machine does. What
budgets.py has for the operation stands beside it; above the budget there is a `!`. Then some whole
machines are compared with each other, in turn: ratios of times that your clock has measured.

With --base, another revision is built in a folder of its own, with this one's benchmark programs,
and measured in turn with this one. All figures go to obj/bench.json. The status is 1 if a count is
above its limit (not its budget) in budgets.py, or if something could not be measured.
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
# An operation is done 500 times when it is counted, and when it is timed so often that this many
# instructions are executed: then a program is not over before it has begun.
TIMED_INSTRUCTIONS = 20000000

BEGINS = r"bench: begins at (\d+)\r?\n"
ENDS = r"bench: ends at (\d+)\r?\n"
RESULT = r"(?m)^bench: (\w+): \d+ each \((\d+) in (\d+)\)\r?$"


class BenchError(ToolError):
    """Something could not be measured. The text says what."""


def machine_options(tree, cmdline, counting=False, cpus=1):
    """What a Machine needs to run programs. QEMU itself loads the kernel: a disk answers when it
    likes, and no two runs would be the same."""
    return {"cpus": cpus, "limit": LIMIT_SECONDS,
            "args": ["-cpu", "qemu32", "-kernel", tree.obj("kern", "kernel"), "-append", cmdline,
                     *(COUNT_INSTRUCTIONS if counting else [])]}


def parse_results(output):
    """The ticks per operation that a program has printed, by the operation's name."""
    return {name: int(ticks) / int(count) for name, ticks, count in re.findall(RESULT, output)}


def check_results(program, results):
    """That a program has measured all of its operations."""
    missing = [o.name for o in OPERATIONS if o.program == program and o.name not in results]
    if missing:
        raise BenchError("bench: %s does not say what this costs: %s" % (program, " ".join(missing)))
    return results


def count_program(tree, program):
    """Run a program on a machine that counts instructions. Return what each of its operations
    costs, and all that was printed."""
    with Machine(tree.qemu(), **machine_options(tree, program, counting=True)) as machine:
        machine.wait_for(ENDS + "|panic")
        output = machine.run_to_prompt()
    return check_results(program, parse_results(output)), output


class Clock:
    """How long a tick of the time stamp counter is. A program says when it begins and when it ends;
    when we read that, we look at our own clock."""

    def __init__(self):
        self.seconds = self.ticks = 0

    def time_program(self, tree, program, count):
        """Run a program as fast as may be, to do each of its operations so many times. Return the
        ticks that each operation took."""
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
    """Why git cannot tell this tree's history, or None if it can."""
    if not shutil.which("git"):
        return "git is not installed"
    if not os.path.exists(tree.path(".git")):
        return "this is not a git checkout"
    done = git(tree, "rev-parse", "--verify", "HEAD")
    return done.stderr.decode("utf-8", "replace").strip() or None if done.returncode else None


def checkout(revision, folder):
    """Put another revision's tree, with our benchmark programs, into an empty folder."""
    ours = Tree()
    why_not = no_history(ours)
    if why_not:
        raise BenchError("bench: no revision %r: %s" % (revision, why_not))
    done = git(ours, "archive", "--format=tar", revision)
    if done.returncode:
        raise BenchError("bench: git knows no revision %r: %s"
                         % (revision, done.stderr.decode("utf-8", "replace").strip()))
    variables = [v for v in ours.variables if v.split("=")[0] not in ("OBJDIR", "BASE", "RUNS")]
    tree = Tree(folder, variables)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(tree.root)
    # They lie in a folder of their own, which an old revision may not have.
    folder = tree.path("user", "bench")
    if not os.path.isdir(folder):
        folder = tree.path("user")
    for path in glob(ours.path("user", "bench", "bench*")):
        shutil.copy(path, folder)
    drop_what_does_not_build(tree)
    return tree


def drop_what_does_not_build(tree):
    """An old revision may lack what a benchmark program needs: it goes without that program."""
    programs = tree.programs("bench*")
    built = [tree.obj("user", name) for name in programs]
    tree.run_make("-s", "-k", "-j%d" % (os.cpu_count() or 1),
                  *(os.path.relpath(path, tree.root) for path in built))
    for name, source in programs.items():
        if not os.path.exists(tree.obj("user", name)):
            progress("does not build there: " + name)
            os.remove(tree.path(source))


# ---- All of it ----

class Subject:
    """A tree, and what was measured of it."""

    def __init__(self, name, tree):
        self.name = name
        self.tree = tree
        self.counts = {}
        self.ticks = {o.name: [] for o in OPERATIONS}  # Those of each run
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
    """Count, and then time, each run of a program by all of them in turn. Return the clock."""
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
    """The mark of a count above its budget, or above its limit, which fails a test."""
    if count > operation.limit:
        return "!!"
    return "!" if operation.wanted is not None and count > operation.wanted else ""


def row_of(operation, subjects, clock, runs):
    """An operation's figures, as they go to obj/bench.json. The other revision's are None if it
    lacks the operation."""
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
    """Print columns, the first one to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.rjust(width) if i else text.ljust(width)
                        for i, (text, width) in enumerate(zip(row, widths))).rstrip())


def base_figures(row, text, figure, ratio):
    """What the other revision has of a figure, and how much more that is than ours."""
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
                   "-" if row["wanted"] is None else str(row["wanted"]), str(row["limit"])]
        if compared:
            figures += base_figures(row, "%.0f", "instructions", "instructions")
        if timed:
            figures.append("%.2f" % row["ours"]["microseconds"])
        if timed and compared:
            figures += base_figures(row, "%.2f", "microseconds", "time")
        table.append([*figures, row["jos"], row["xv6"], row["linux"]])
    print_table(table)
    print("\n!  above its budget   !! above the limit that make check holds it to\n%s" % SOURCE)
    if timed:
        print("us: microseconds of plain TCG, the median; compare them within a run only. Once, "
              "elsewhere,\n%s." % PUBLISHED_TIME)


def describe(tree):
    """The revision that is checked out, and whether it was changed since."""
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
                        help="take the median of so many runs (5)")
    parser.add_argument("--no-time", action="store_true", help="only count instructions")
    parser.add_argument("--no-side", action="store_true", help="do not compare whole machines")
    return parser.parse_args()


def note_load():
    """Say so if other processes use this computer: then the times are worth little."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 2:
        progress("this computer is busy (load %.1f, %d cores): believe no time, and a ratio only "
                 "if it is the same when you measure again" % (load, cores))


def run(args, trees):
    """Measure, print, write obj/bench.json. Return the exit status."""
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
        print_table([["side by side, by this machine's clock", "ours",
                      *(["base"] if len(subjects) > 1 else []), "JOS", "wanted"],
                     *([side["text"], side["ours"], *([side["base"]] if "base" in side else []),
                        side["jos"], side["wanted"]] for side in sides)])
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
