#!/usr/bin/env python3
"""Run a program with the kernel's trace, and show the trace: `make trace-NAME CPUS=4`.

    trace.py [--cpus N] [--memory MB] [--records N] [--seconds N] [--pages N]
             [--qemu-options "..."] [--addr2line COMMAND] NAME

The run ends at the prompt of the kernel's monitor; or, for a program that the grade lets run on
(grade-lab4: enough=True), when the program has printed what the grade expects; or after --records
records or --seconds seconds; or by ctrl-C. Then the trace up to this point is

- checked (check.py): a kernel that works breaks none of the rules;
- written to obj/trace/NAME.html, a page for a browser, and to obj/trace/NAME.perfetto-trace;
- added up, and printed as two tables (summary.py).

The exit status is 1 if the check found anything, or if the kernel did not run to the end.
"""

import argparse
import contextlib
import glob
import mmap
import os
import re
import runpy
import sys
import time

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.build.elffile import ElfError, read_elf
from tools.run.buildtree import Tree
from tools.run.child import ChildError, last_lines
from tools.run.machine import PROMPT, Machine
from tools.run.tool import ToolError, run_tool, split_words
from tools.see.check import check, check_times
from tools.see.decode import decode
from tools.see.page import write_page
from tools.see.perfetto import write_perfetto
from tools.see.rings import Rings
from tools.see.summary import summarize

RAM = "ram"              # The file with the machine's memory, in the machine's folder
POLL_SECONDS = 0.002     # Pause between two readings of the rings
RING_PAGES = 1024        # Pages of each CPU's ring: 4 MB, as many as the kernel allows
RINGS_SHARE = 4          # All rings take at most this part of the memory.
PAGES_PER_MB = 256
MEMORY = 128             # In MB
RECORDS = 1000000
SECONDS = 60
COMPLAINTS = 20          # Complaints of the check to print


def ring_pages(cpus, memory):
    """Pages for each ring: a power of two."""
    pages = RING_PAGES
    while pages > 1 and pages * cpus > memory * PAGES_PER_MB // RINGS_SHARE:
        pages //= 2
    return pages


def enough_lines(tree, program, cpus):
    """The lines after which the grade stops this program; None if it lets the program end."""
    for path in sorted(glob.glob(os.path.join(glob.escape(tree.root), "grade-lab*"))):
        for part in runpy.run_path(path)["PARTS"]:
            for test in part.tests:
                if test.name == program and test.enough:
                    return test.lines(cpus)
    return None


class Run:
    """A run of a program with the trace. The arguments are those of the command line; `pages` is by
    default as large as the memory allows; `options` are more options for QEMU. `end` says how the
    run ended, `complete` whether the program came to its end or to a limit, `streams` has the
    records, `output` what was printed."""

    def __init__(self, tree, program, cpus=1, memory=MEMORY, records=RECORDS, seconds=SECONDS,
                 pages=None, options=()):
        self.program = program
        self._enough = enough_lines(tree, program, cpus)
        self._limit_records = records
        self._seen = 0  # How much of the output was searched for _enough
        self.end = self.streams = self.ticks_per_second = self.output = None
        self.complete = False
        pages = pages or ring_pages(cpus, memory)
        backend = "memory-backend-file,id=ram,size=%dM,mem-path=%s,share=on" % (memory, RAM)
        with Machine(tree.qemu(), disk=tree.disk_image("trace=%d %s" % (pages, program)),
                     cpus=cpus, memory=memory, limit=seconds,
                     args=["-object", backend, "-machine", "pc,memory-backend=ram",
                           *options]) as machine:
            self._run(machine, read_elf(tree.obj("kern", "kernel")).symbol("trace").value)

    def _run(self, machine, address):
        machine.qmp("query-status")  # QEMU answers only after it has made the file.
        with open(os.path.join(machine.dir, RAM), "rb") as f:
            memory = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        rings = Rings(memory, address)
        try:
            self._drain(machine, rings)
            self.streams = rings.streams
            self.ticks_per_second = rings.ticks_per_second()
        finally:
            rings.close()
            memory.close()

    def _drain(self, machine, rings):
        """Copy the records until the run ends."""
        patience = machine.patience()
        try:
            while self.end is None:
                written = rings.drain()
                self._look(machine, written, patience)
                time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            self.end = "interrupted: the trace ends here"
        with contextlib.suppress(ChildError):
            machine.qmp("stop")
        rings.drain()
        self.output = machine.output.replace("\r", "")

    def _look(self, machine, written, patience):
        """Set `end` if the run is over."""
        output = machine.output
        if re.search(PROMPT, output[-len("K> "):]):
            panic = re.search(r"(?m)^kernel panic .*", output)
            self.end = panic[0].strip() if panic else "the program ended"
            self.complete = not panic
        elif self._is_enough(output):
            self.end = "stopped where the grade stops it: it would run on"
            self.complete = True
        elif written >= self._limit_records:
            self.end = "stopped after %d records: it would run on" % written
            self.complete = True
        elif machine.has_ended():
            self.end = "QEMU ended by itself"
        elif patience.left() <= 0:
            self.end = "cut off after %g s" % machine.limit

    def _is_enough(self, output):
        if not self._enough or len(output) == self._seen:
            return False
        self._seen = len(output)
        printed = output.replace("\r", "").split("\n")
        return any(re.fullmatch(self._enough[-1], line) for line in printed) and all(
            any(re.fullmatch(regex, line) for line in printed) for regex in self._enough)


def write_files(model, folder, program):
    """Write the page and the trace for Perfetto; return their paths."""
    os.makedirs(folder, exist_ok=True)
    page, perfetto = (os.path.join(folder, program + suffix)
                      for suffix in (".html", ".perfetto-trace"))
    write_page(model, page)
    write_perfetto(model, perfetto)
    return page, perfetto


def report(run, model, complaints, paths):
    """Print how the run ended, the summary, the complaints, and what to open."""
    print("%s on %d CPU%s: %s" % (model["program"], model["cpus"], "s"[:model["cpus"] != 1],
                                  run.end))
    if not run.complete:
        print(last_lines(run.output))
    print("\n".join(summarize(model)))
    print()
    lost = ["CPU %d: %d" % (cpu, lost) for cpu, lost in enumerate(model["lost"]) if lost]
    print("Lost records: %s" % (", ".join(lost) or "none"))
    if complaints:
        print("The check of the trace found %d mistakes:" % len(complaints))
        for complaint in complaints[:COMPLAINTS]:
            print("  " + complaint)
        if len(complaints) > COMPLAINTS:
            print("  ...")
    else:
        print("The check of the trace found no mistake.")
    for path in paths:
        print("Open %s %s" % (os.path.relpath(path), "in a browser" if path.endswith(".html")
                              else "at https://ui.perfetto.dev"))


def parse_arguments():
    parser = argparse.ArgumentParser(description="Run a program with the kernel's trace.")
    parser.add_argument("program", metavar="NAME")
    parser.add_argument("--cpus", type=int, default=1, metavar="N",
                        help="number of CPUs")
    parser.add_argument("--memory", type=int, default=MEMORY, metavar="MB",
                        help="size of the machine's memory (%(default)s)")
    parser.add_argument("--records", type=int, default=RECORDS, metavar="N",
                        help="stop after about this number of records (%(default)s)")
    parser.add_argument("--seconds", type=int, default=SECONDS, metavar="N",
                        help="stop after this time (%(default)s)")
    parser.add_argument("--pages", type=int, metavar="N",
                        help="size of each CPU's ring in pages: 1, 2, 4 ... %d" % RING_PAGES)
    parser.add_argument("--qemu-options", default="", metavar="OPTIONS",
                        help="more options for QEMU, as one word")
    parser.add_argument("--addr2line", default="addr2line", metavar="COMMAND",
                        help="the command that finds source lines")
    args = parser.parse_args()
    for name in ("cpus", "memory", "records", "seconds"):
        if getattr(args, name) < 1:
            parser.error("--%s needs a number greater than 0" % name)
    if args.pages not in (None, *(1 << i for i in range(RING_PAGES.bit_length()))):
        parser.error("--pages needs a power of two up to %d" % RING_PAGES)
    return args


def main():
    args = parse_arguments()
    tree = Tree()
    program = args.program
    if program not in tree.programs():
        raise ToolError("there is no program user/%s.c" % program)
    try:
        run = Run(tree, program, args.cpus, args.memory, args.records, args.seconds, args.pages,
                  split_words(args.qemu_options))
    except ElfError as e:
        raise ToolError(str(e)) from None
    if not run.streams:
        raise ToolError("%s: %s, before the kernel started its trace\n%s"
                        % (program, run.end, last_lines(run.output)))
    command = "make trace-%s CPUS=%d" % (program, args.cpus)
    model = decode(run.streams, tree, program, command, run.ticks_per_second, args.addr2line)
    complaints = check_times(run.streams) + check(model)
    paths = write_files(model, tree.obj("trace"), program)
    report(run, model, complaints, paths)
    return 0 if run.complete and not complaints else 1


if __name__ == "__main__":
    run_tool(main)
