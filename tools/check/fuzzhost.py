#!/usr/bin/env python3
"""Run the fuzz targets that fuzz/Makefrag builds: `make fuzz-host`.

    fuzzhost.py [--runs N] [--seed S] PROGRAM...

Each program runs with the inputs in fuzz/corpus/NAME, then with N new inputs that libFuzzer makes
from them. The tool prints a line for each program, with the seed that repeats the run. An input
that finds an error is saved next to the program, as NAME-crash-...; run the program with this file
to see the error again. The exit status is 0 if no error was found.
"""

import argparse
import os
import random
import re
import sys
import threading
from collections import deque

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.run.buildtree import ROOT
from tools.run.child import Child, end_all, last_lines
from tools.run.tool import SIGNAL_SECONDS, make_folder, remove_folder, run_tool

CORPUS = os.path.join(ROOT, "fuzz", "corpus")
MAX_LENGTH = 4096

# Exceeding one of these limits is also an error: time for an input, memory, time for all inputs.
INPUT_SECONDS = 120
MEMORY_MB = 1500
RUN_SECONDS = 24 * 3600

# The leak detector is slow, and the targets do not leak memory.
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")


def run(program, *args):
    """Run a fuzz target; return (exit status, standard error)."""
    options = ["-timeout=%d" % INPUT_SECONDS, "-rss_limit_mb=%d" % MEMORY_MB,
               "-artifact_prefix=%s-" % program]
    with Child([program, *options, *args], limit=RUN_SECONDS, env=ENVIRONMENT) as child:
        status = child.wait_for_end()
        return status, child.errors


def describe(program, text):
    """The text to print for an error: the last lines, and how to repeat it."""
    found = re.search(r"Test unit written to (\S+)", text) or \
        [None, (re.findall(r"(?m)^Running: (\S+)$", text) or ["?"])[-1]]
    # In a backtrace, leave out the functions of libFuzzer, the sanitizers and the C library.
    lines = [line for line in text.split("\n")
             if not re.match(r"\s+#\d+ .*(fuzzer::|sanitizer|/lib|\(linux|_start)", line)]
    return "%s\n  to see it again: %s %s" % (last_lines("\n".join(lines), 40), program, found[1])


def fuzz(program, runs, seed):
    """Run a target with its kept inputs, then with new inputs. Return (True if no error was found,
    text to print)."""
    name = os.path.basename(program)
    folder = os.path.join(CORPUS, name)
    kept = [os.path.join(folder, f) for f in sorted(os.listdir(folder))] \
        if os.path.isdir(folder) else []
    if kept:
        status, text = run(program, *kept)
        if status:
            return False, "%s: FOUND something with a kept input:\n%s" % (
                name, describe(program, text))

    scratch = make_folder("jos-fuzz-")
    try:
        status, text = run(program, "-runs=%d" % (len(kept) + runs), "-seed=%d" % seed,
                           "-max_len=%d" % MAX_LENGTH, "-len_control=20", "-print_final_stats=1",
                           scratch, *([folder] if kept else []))
    finally:
        remove_folder(scratch)
    executed = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
    summary = "%s: %s executions, of %d kept inputs and new ones, seed %d" % (
        name, executed.group(1) if executed else "no", len(kept), seed)
    if status or not executed:
        return False, "%s: FOUND something:\n%s" % (summary, describe(program, text))
    return True, summary + ": nothing found"


def fuzz_all(programs, runs, seed):
    """Run the targets, one per core at a time. Return True if no error was found."""
    waiting = deque(programs)
    good = []

    def work():
        while True:
            try:
                program = waiting.popleft()
            except IndexError:
                return
            ok, text = fuzz(program, runs, seed)
            print(text, flush=True)
            good.append(ok)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(os.cpu_count() or 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(SIGNAL_SECONDS)
    return len(good) == len(programs) and all(good)


def main():
    parser = argparse.ArgumentParser(description="Run fuzz targets.")
    parser.add_argument("programs", nargs="+", metavar="PROGRAM")
    parser.add_argument("--runs", type=int, default=100000, metavar="N",
                        help="number of new inputs for each program (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, metavar="S",
                        help="the seed, to repeat a run; 0: a random seed (%(default)s)")
    args = parser.parse_args()
    if args.runs < 0 or not 0 <= args.seed < 1 << 32:
        parser.error("--runs must not be negative, --seed must be a 32-bit number")
    programs = [os.path.abspath(program) for program in args.programs]
    seed = args.seed or random.SystemRandom().randrange(1, 1 << 32)
    try:
        return 0 if fuzz_all(programs, args.runs, seed) else 1
    except KeyboardInterrupt:
        end_all()
        raise


if __name__ == "__main__":
    run_tool(main)
