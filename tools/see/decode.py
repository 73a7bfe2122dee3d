"""Make the trace's model from its records: one dictionary that can be written as JSON.

    version           1
    program, command  the program, and the command that made the trace
    cpus              number of CPUs
    ticks_per_second  the unit of time
    lost              for each CPU, how many records were lost
    gaps              [cpu, i]: records of that CPU were lost after its last event up to events[i]
                      (i is -1: before its first event)
    envs              [{"id", "program", "parent"}]: every environment in the trace
    calls             names of the system calls, by number
    traps             names of the vectors: {"14": "Page Fault"}
    kinds, places     names, for events["kind"] and events["place"]
    events            columns of equal length: t, cpu, kind, env, arg, place

The events are sorted by t, in ticks since the first event. env is the environment on the CPU (0:
none); of a message, the sender. place is an index in places. docs/trace.md lists the kinds and
their arg. The names of kinds, calls and vectors are read from the kernel's headers.
"""

import heapq
import re

from tools.see.places import name_places
from tools.see.rings import KERNBASE

T_SYSCALL = 48
PAGE_FAULT = 14
DEFAULT_TICKS = 1000000000

# Vectors that are not in inc/trap.h's list of exceptions.
VECTORS = {32: "timer", 33: "keyboard", 36: "serial line", T_SYSCALL: "system call",
           51: "local APIC error", 240: "wake-up", 255: "spurious interrupt"}


def read_header(tree, *names):
    with open(tree.path(*names), encoding="utf-8") as f:
        return f.read()


def kind_names(tree):
    """The kinds of probes, by number: "lock_taken" for PROBE_LOCK_TAKEN."""
    body = re.search(r"(?s)enum ProbeKind \{(.*?)\n\};", read_header(tree, "kern", "probe.h"))[1]
    return [name.lower() for name in re.findall(r"(?m)^\tPROBE_(\w+),", body)]


def call_names(tree):
    """The system calls, by number."""
    return re.findall(r"\bX\((\w+), \d+\)", read_header(tree, "inc", "syscall.h"))


def trap_names(tree):
    """The vectors: {"14": "Page Fault"}."""
    found = re.findall(r'\bX\((\d+), T_\w+, "(.*?)"\)', read_header(tree, "inc", "trap.h"))
    return {**dict(found), **{str(vector): name for vector, name in VECTORS.items()}}


def code_address(kind, argument, place):
    """An address within the instruction of a record. After a call, `place` is the address behind
    the instruction; after a fault or an interrupt of a program, it is the instruction's."""
    if kind == "enter" and argument & 0xff != T_SYSCALL:
        return place
    return place - 1


def environments(program, kinds, rows):
    """All environments that the records mention, in the order of their first mention."""
    fork, message = kinds.index("fork"), kinds.index("message")
    found = {}
    for _, _, kind, env, arg, _ in rows:
        if env and env not in found:
            found[env] = 0
        if kind == fork:
            found[arg] = env
        elif kind == message and arg not in found:
            found[arg] = 0
    return [{"id": env, "program": program, "parent": parent} for env, parent in found.items()]


def merge(streams, kinds):
    """The records of all CPUs, in the order of time: (time, cpu, kind, env, argument, place); and
    the gaps, as in the model. At equal times, a drop of the lock comes first."""
    drop = kinds.index("lock_drop")

    def rows(cpu, stream):
        expected = 0
        for number, time, kind, env, argument, place in stream.records():
            yield time, kind != drop, cpu, kind, env, argument, place, number != expected
            expected = number + 1

    merged, gaps, latest = [], [], {}
    for time, _, cpu, kind, env, argument, place, gap in heapq.merge(
            *(rows(cpu, stream) for cpu, stream in enumerate(streams)), key=lambda row: row[:2]):
        if gap:
            gaps.append([cpu, latest.get(cpu, -1)])
        latest[cpu] = len(merged)
        merged.append((time, cpu, kind, env, argument, place))
    for cpu, stream in enumerate(streams):
        if stream.end() < stream.written:
            gaps.append([cpu, latest.get(cpu, -1)])
    return merged, gaps


def find_places(rows, kinds, tree, program, addr2line):
    """Name the places of all records: (names, [index in names for each record])."""
    addresses = [code_address(kinds[kind], argument, place)
                 for _, _, kind, _, argument, place in rows]
    kernel = {address for address in addresses if address >= KERNBASE}
    names = name_places(addr2line, tree.obj("kern", "kernel"), kernel, tree.root)
    names.update(name_places(addr2line, tree.obj("user", program), set(addresses) - kernel,
                             tree.root))
    places = sorted(set(names.values()))
    index = {name: i for i, name in enumerate(places)}
    return places, [index[names[address]] for address in addresses]


def decode(streams, tree, program, command, ticks_per_second, addr2line="addr2line"):
    """Make the model."""
    kinds = kind_names(tree)
    rows, gaps = merge(streams, kinds)
    places, place_column = find_places(rows, kinds, tree, program, addr2line)
    start = rows[0][0] if rows else 0
    return {
        "version": 1,
        "program": program,
        "command": command,
        "cpus": len(streams),
        "ticks_per_second": ticks_per_second or DEFAULT_TICKS,
        "lost": [stream.lost() for stream in streams],
        "gaps": gaps,
        "envs": environments(program, kinds, rows),
        "calls": call_names(tree),
        "traps": trap_names(tree),
        "kinds": kinds,
        "places": places,
        "events": {
            "t": [row[0] - start for row in rows],
            "cpu": [row[1] for row in rows],
            "kind": [row[2] for row in rows],
            "env": [row[3] for row in rows],
            "arg": [row[4] for row in rows],
            "place": place_column,
        },
    }
