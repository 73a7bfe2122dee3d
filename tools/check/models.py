#!/usr/bin/env python3
"""Check the models in models/ with spin: `make models`.

    models.py [-j N] [--list] [NAME...]
    models.py --trail NAME MUTATION

NAME is the name of a model: lock is models/lock.pml. Comments in the model list the runs:

    // CHECK: OPTIONS...            spin must find no error. -D options go to the model, other
                                    options to pan, the program that spin makes
    // MUTATION NAME [-D...]: ...   with -DNAME added to the options of the first CHECK, spin must
                                    find an error

The tool prints a line for each run, with the number of states that spin searched. The exit status
is 0 if all runs had the expected result. --trail shows the shortest path to a mutation's error.
"""

import argparse
import concurrent.futures
import contextlib
import glob
import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.grade.gradelib import result_of
from tools.run.buildtree import ROOT
from tools.run.child import Child, ChildError, end_all
from tools.run.tool import ToolError, make_folder, remove_folder, run_tool

MODELS = os.path.join(ROOT, "models")

MAX_DEPTH = 4000000  # Limit of a search, in steps
LIMIT_SECONDS = 600


class ModelError(ToolError):
    """A run failed, or did not have the expected result."""


class Run:
    """A run of spin on a model. With a mutation, spin must find an error, otherwise none."""

    def __init__(self, model, mutation, options):
        self.path = os.path.join(MODELS, model + ".pml")
        self.mutation = mutation
        self.defines = [o for o in options if o.startswith("-D")]
        self.pan = [o for o in options if not o.startswith("-D")]
        if mutation:
            self.defines.append("-D" + mutation)
        self.name = " ".join([model, mutation or " ".join(options)]).strip()

    def compile(self, folder, flags):
        """Make pan, the program that searches the states of the model, in a folder."""
        # A mutation's error is found quickly. It is not worth the time to optimize the program.
        optimize = "-O0" if self.mutation else "-O2"
        for command in (["spin", "-a", *self.defines, self.path],
                        ["cc", optimize, "-DSAFETY", "-DCOLLAPSE", *flags, "-o", "pan", "pan.c"]):
            run_command(command, folder)

    def search(self, folder):
        """Run pan; return its output."""
        return run_command(["./pan", "-m%d" % MAX_DEPTH, "-w23", *self.pan], folder)

    def check(self):
        """Run spin; return a line with the result, or raise ModelError."""
        started = time.monotonic()
        with model_folder() as folder:
            self.compile(folder, [])
            text = self.search(folder)
        errors = re.search(r"errors: (\d+)", text)
        states = re.search(r"(\d+) states, stored", text)
        if not errors or not states or "too small" in text or "out of memory" in text:
            raise ModelError("%s: the search is not complete:\n%s" % (self.name, text))
        error = re.search(r"pan:\d+: (.*) \(at depth", text)
        if self.mutation and not error:
            raise ModelError("%s: not caught, in %s states" % (self.name, states[1]))
        if not self.mutation and errors[1] != "0":
            raise ModelError("%s: %s" % (self.name, error[1] if error else text))
        return "%s: %s, %s states (%.1fs)" % (
            self.name, "caught" if self.mutation else "holds", states[1],
            time.monotonic() - started)

    def trail(self):
        """The shortest path to an error, as text from spin."""
        with model_folder() as folder:
            self.compile(folder, ["-DBFS"])
            text = self.search(folder)
            trail = os.path.join(folder, os.path.basename(self.path) + ".trail")
            if not os.path.exists(trail):
                raise ModelError("%s: no error was found:\n%s" % (self.name, text))
            return run_command(["spin", "-p", "-g", *self.defines, "-k", trail, self.path], folder)


@contextlib.contextmanager
def model_folder():
    """A temporary folder for the files that spin and the compiler write."""
    folder = make_folder("jos-model-")
    try:
        yield folder
    finally:
        remove_folder(folder)


def run_command(command, folder):
    """Run a command in a folder; return its output, or raise ModelError."""
    try:
        with Child(command, limit=LIMIT_SECONDS, cwd=folder) as child:
            status = child.wait_for_end()
            text = child.output + child.errors
    except ChildError as e:
        raise ModelError(str(e)) from None
    # pan's exit status is the same for an error in the model and a failure of pan: ignore it here.
    if status and command[0] != "./pan":
        raise ModelError("%s failed:\n%s" % (" ".join(command), text))
    return text


def all_models():
    """The names of all models."""
    return sorted(os.path.basename(path)[:-len(".pml")]
                  for path in glob.glob(os.path.join(MODELS, "*.pml")))


def runs_of(model):
    """The Runs that the comments of a model list."""
    with open(os.path.join(MODELS, model + ".pml"), encoding="utf-8") as f:
        text = f.read()
    checks = [options.split() for options in re.findall(r"^// CHECK:(.*)$", text, re.M)]
    mutations = re.findall(r"^// MUTATION (\w+)((?: -D\w+=?\w*)*):", text, re.M)
    if not checks or not mutations:
        raise ModelError("%s.pml has no line // CHECK, or no // MUTATION" % model)
    return ([Run(model, None, options) for options in checks] +
            [Run(model, name, checks[0] + options.split()) for name, options in mutations])


def parse_arguments():
    parser = argparse.ArgumentParser(description="Check the models in models/ with spin.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these models")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
                        help="run N at the same time (default: the number of cores)")
    parser.add_argument("--list", action="store_true", help="only print the names of the runs")
    parser.add_argument("--trail", action="store_true",
                        help="show the shortest path to the error of a mutation")
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error("-j needs a number greater than 0")
    mutation = args.names.pop() if args.trail and len(args.names) == 2 else None
    if args.trail and not mutation:
        parser.error("--trail needs the names of a model and a mutation")
    for name in args.names:
        if name not in all_models():
            parser.error("no model %s; the models are: %s" % (name, " ".join(all_models())))
    return args, mutation


def main():
    args, mutation = parse_arguments()
    runs = [run for name in args.names or all_models() for run in runs_of(name)]
    if args.list:
        print("\n".join(run.name for run in runs))
        return 0
    if not shutil.which("spin"):
        raise ToolError("spin is missing: conf/setup installs what is needed")
    if mutation:
        chosen = [run for run in runs if run.mutation == mutation]
        if not chosen:
            raise ModelError("%s has no mutation %s" % (args.names[0], mutation))
        print(chosen[0].trail())
        return 0
    return check_all(runs, args.jobs)


def check_all(runs, jobs):
    """Run all; print a line for each. Return the exit status."""
    status = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            for future in [pool.submit(run.check) for run in runs]:
                try:
                    print(result_of(future), flush=True)
                except ModelError as e:
                    print("FAIL " + str(e), flush=True)
                    status = 1
        except BaseException:
            end_all()
            raise
    return status


if __name__ == "__main__":
    run_tool(main)
