#!/usr/bin/env python3
"""Write a page that shows memory while a program runs: `make memmap-NAME AT=...`.

    memmap.py [--at PLACE] [--cpus N] [--memory MB] [--qemu-options "..."] [-o FILE] NAME

Runs the program NAME in QEMU, stops the machine at PLACE (stop.py says what a place is; the default
is `exit`, the end of the first environment), reads its memory (memory.py), and writes one HTML file
that needs no network. The parts of the page are in the folder memmap/.
"""

import argparse
import html
import json
import os
import sys

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.run.buildtree import Tree
from tools.run.machine import Machine
from tools.run.tool import ToolError, run_tool, split_words
from tools.see.layout import read_layout
from tools.see.memory import Memory
from tools.see.stop import EXIT, Code, find_place, split_place, stopped

PARTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "memmap")
LIMIT_SECONDS = 120
MAX_LINES = 20


def check_program(tree, name):
    if name not in tree.programs(name):
        raise ToolError("there is no program user/%s.c" % name)


def read_memory(machine, layout):
    """The machine's physical memory, as far as the kernel uses it."""
    size = machine.qmp("query-memory-size-summary")["base-memory"]
    return machine.physical_memory(0, min(size, layout["constants"]["KERNMAX"]))


def take_picture(machine, stop, kernel, user, layout):
    """The model of a stopped machine: what Memory.describe() returns, and where the CPUs are."""
    model = Memory(read_memory(machine, layout), layout).describe()
    places = [kernel.describe(a) if kernel.has(a) else user.describe(a) if user.has(a)
              else "%#x" % a for a in stop.addresses]
    for cpu, place in zip(model["cpus"], places):
        cpu["at"] = place
    # Between functions that the kernel calls with consistent data, a count can be off by one.
    settled = model["lock"] is None or stop.address in (
        kernel.functions[EXIT], kernel.functions["monitor"]) and model["lock"] == stop.cpu
    model["stop"] = {"cpu": stop.cpu, "at": places[stop.cpu], "settled": settled}
    return model


def run(tree, name, at, options):
    """Run the program NAME and return the model of memory at the place `at`."""
    check_program(tree, name)
    layout = read_layout(tree.obj("kern", "kernel"))
    kernel = Code(tree.obj("kern", "kernel"), "the kernel")
    user = Code(tree.obj("user", name), "the program " + name)
    place, count = split_place(at)
    places = find_place(place, kernel, user)
    with Machine(tree.qemu(), disk=tree.disk_image(name), gdb=True, limit=LIMIT_SECONDS,
                 **options) as machine:
        with stopped(machine, places, count, kernel) as (_, stop):
            if stop.in_monitor and place != "exit":
                raise ToolError("AT=%s: %s has ended, or the kernel has panicked, before that\n%s"
                                % (at, name, machine.describe_output()))
            model = take_picture(machine, stop, kernel, user, layout)
    model.update({"program": name, "asked": at})
    return model


def part(name):
    with open(os.path.join(PARTS, name), encoding="utf-8") as f:
        return f.read()


def make_page(model):
    """The HTML file that shows a model."""
    text = json.dumps(model, separators=(",", ":")).replace("</", "<\\/")
    page = part("memmap.html").replace("@TITLE@", html.escape("Memory of " + model["program"]))
    return page.replace("@STYLE@", part("memmap.css")).replace(
        "@SCRIPT@", part("memmap.js")).replace("@MODEL@", text)


def summary(model):
    """What is printed: a line, and a line for each error."""
    errors = model["errors"]
    yield "stopped at %s on CPU %d: %d environments, %d pages in use, %d free, %s" % (
        model["stop"]["at"], model["stop"]["cpu"], len(model["envs"]), model["used"],
        model["free"], "%d errors" % len(errors) if errors else "no errors")
    if errors and not model["stop"]["settled"]:
        yield "CPU %d holds the big lock: it may be in the middle of a change" % model["lock"]
    for error in errors[:MAX_LINES]:
        yield "error: " + error["text"]


def main():
    parser = argparse.ArgumentParser(description="Show memory while a program runs, as a page.")
    parser.add_argument("name", metavar="NAME", help="the program")
    parser.add_argument("--at", metavar="PLACE", default="exit", help="where to stop")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--memory", default="128", help="in MB")
    parser.add_argument("--qemu-options", default="", help="more options for QEMU")
    parser.add_argument("-o", "--output", metavar="FILE")
    args = parser.parse_args()
    tree = Tree()
    model = run(tree, args.name, args.at, {
        "cpus": args.cpus, "memory": args.memory, "args": split_words(args.qemu_options)})
    output = args.output or tree.obj("memmap", args.name + ".html")
    os.makedirs(os.path.dirname(output) or ".", exist_ok=True)
    with open(output, "w", encoding="utf-8") as f:
        f.write(make_page(model))
    print("\n".join(summary(model)))
    print(os.path.relpath(output))
    return 0


if __name__ == "__main__":
    run_tool(main)
