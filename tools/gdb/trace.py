"""The command `jos trace`: the last events that the kernel has recorded (kern/check/trace.c)."""

import re

import gdb

from tools.gdb import kernel
from tools.gdb.command import Command, count, table

T_SYSCALL = 48
SHOWN = 20  # Events that are shown without a count
WITH_FRAME = ("enter", "interrupt")  # The argument is a vector: kern/check/trace.h
WITH_ENV = ("run", "message", "fork", "destroy")  # The argument is an environment's id


def trace():
    """The kernel's variable `trace`."""
    symbol = kernel.objfile().lookup_global_symbol("trace")
    if symbol is None or symbol.type.name != "Trace":
        raise gdb.GdbError("This kernel records no trace: it has no kern/check/trace.c.")
    value = symbol.value()
    if not value["ring_pages"]:
        raise gdb.GdbError("There is no trace yet. Start the kernel with the option trace: "
                           "make qemu-nox-gdb CMDLINE=\"hello trace\"")
    return value


def last_records(ring, pages, count):
    """The last records of a CPU's ring, the newest first."""
    page_type = ring["pages"].type.target().target()
    per_page = 4096 // page_type.sizeof
    following = int(ring["next"])
    for n in range(following - 1, max(following - min(count, pages * per_page), 0) - 1, -1):
        yield ring["pages"][n // per_page % pages][n % per_page]


def kinds():
    """{number: name} of the events, as enum ProbeKind has them."""
    return {field.enumval: field.name.replace("PROBE_", "").lower()
            for field in gdb.lookup_type("enum ProbeKind").fields()}


class Trace(Command):
    """Show the last events of all CPUs, in the order of time: jos trace [COUNT]
The kernel records them with the option trace on its command line: CMDLINE="hello trace". TICKS is
the time before the last event. ENV is the environment on the CPU."""

    NAME = "trace"
    MOST = 1

    def run(self, words):
        shown = count(words[0]) if words else SHOWN
        state, names = trace(), kinds()
        records = []
        for cpu in range(int(state["cpus"])):
            for record in last_records(state["rings"][cpu], int(state["ring_pages"]), shown):
                records.append((int(record["time"]), cpu, record))
        records = sorted(records, key=lambda r: r[:2])[-shown:]
        if not records:
            return ["The trace is empty."]
        programs = {env.id: env.program for env in kernel.environments()}
        rows = [("TICKS", "CPU", "EVENT", "ENV", "AT")]
        for time, cpu, record in records:
            env = int(record["env"])
            place = kernel.unsigned(record["place"])
            rows.append((str(time - records[-1][0]), str(cpu), self.event(record, names),
                         "%08x" % env if env else "-",
                         self.place(place, programs.get(env, "")) if place else ""))
        return table(rows)

    @staticmethod
    def place(address, program):
        """The function. GDB knows only the innermost line: in a header if the probe is inlined."""
        return re.sub(r" \S+\.h:\d+$", "", kernel.place(address, program))

    @staticmethod
    def event(record, names):
        """The name of an event, with its argument."""
        name, argument = names.get(int(record["kind"]), "?"), int(record["argument"])
        if name in WITH_FRAME:
            call = " %d" % (argument >> 8) if argument & 0xFF == T_SYSCALL else ""
            return "%s %d%s" % (name, argument & 0xFF, call)
        if name in WITH_ENV:
            return "%s %08x" % (name, argument)
        return "%s %#x" % (name, argument) if argument else name


def register():
    Trace()
