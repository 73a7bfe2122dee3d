"""Add up the times and events of a trace (a model of decode.py), and print them as two tables."""

from collections import namedtuple

USER, KERNEL, IDLE = "user", "kernel", "idle"
SHOWN = 12  # Environments in the table

# The totals of a CPU, in ticks, and numbers of events.
CPU_TIMES = (USER, KERNEL, IDLE, "waited", "held")
COUNTS = ("run", "enter", "message", "fault")


class Totals(dict):
    """Totals by name; 0 at first."""

    def __missing__(self, name):
        return 0

    def add(self, name, number=1):
        self[name] += number


class _Cpu:
    """The state of a CPU while the events are added up."""

    def __init__(self, start):
        self.since = start  # Its last event
        self.mode = None    # None: not known yet
        self.env = 0
        self.wait_began = self.hold_began = None


Summary = namedtuple("Summary", "cpus envs length")


def add_event(cpu, totals, name, now):
    """Change a CPU's state for an event, and add the times that end with it."""
    if name == "lock_wait":
        cpu.wait_began = now
    elif name == "lock_taken":
        if cpu.wait_began is not None:
            totals.add("waited", now - cpu.wait_began)
        cpu.wait_began, cpu.hold_began = None, now
    elif name == "lock_drop":
        if cpu.hold_began is not None:
            totals.add("held", now - cpu.hold_began)
        cpu.hold_began = None
    if name == "leave":
        cpu.mode = USER
    elif name == "idle":
        cpu.mode = IDLE
    elif name in ("enter", "run") or cpu.mode is None:
        cpu.mode = KERNEL


def add_up(model):
    """Add up the events: totals for each CPU and for each environment."""
    events, kinds = model["events"], model["kinds"]
    end = events["t"][-1] if events["t"] else 0
    cpus = [Totals() for _ in range(model["cpus"])]
    envs = {env["id"]: Totals() for env in model["envs"]}
    states = [_Cpu(0) for _ in cpus]

    def pass_time(number, now):
        state = states[number]
        if state.mode:
            cpus[number].add(state.mode, now - state.since)
            if state.env and state.mode != IDLE:
                envs[state.env].add(state.mode, now - state.since)
        state.since = now

    for now, number, kind, env, arg in zip(*(events[c] for c in ("t", "cpu", "kind", "env",
                                                                 "arg"))):
        name, state = kinds[kind], states[number]
        pass_time(number, now)
        add_event(state, cpus[number], name, now)
        if name == "message":
            envs[arg].add("received")
        else:
            state.env = env
        if name in COUNTS:
            cpus[number].add(name)
            if env:
                envs[env].add(name)
    for number in range(len(cpus)):
        pass_time(number, end)
    return Summary(cpus, envs, end)


def table(heads, rows):
    """The lines of a table. The first column is left-aligned, the others are right-aligned."""
    rows = [heads, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    return ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                      for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
            for row in rows]


def summarize(model):
    """The summary as a list of lines."""
    summary = add_up(model)
    milliseconds = 1000 / model["ticks_per_second"]

    def time(totals, name):
        return "%.3f" % (totals[name] * milliseconds)

    lines = ["%d events in %.3f ms; times are in ms"
             % (len(model["events"]["t"]), summary.length * milliseconds), ""]
    names = ("switches", "entries", "messages", "page faults")
    lines += table(
        ("CPU", "user", "kernel", "idle", "waits for lock", "holds lock", *names),
        [(str(i), *(time(cpu, name) for name in CPU_TIMES), *(str(cpu[name]) for name in COUNTS))
         for i, cpu in enumerate(summary.cpus)])
    order = sorted(summary.envs.items(), key=lambda item: -item[1][USER] - item[1][KERNEL])
    rows = [("%08x" % env, time(totals, USER), time(totals, KERNEL),
             *(str(totals[name]) for name in ("run", "enter", "message", "received", "fault")))
            for env, totals in order[:SHOWN]]
    lines += ["", *table(("environment", "user", "kernel", "switches", "entries", "sent",
                          "received", "page faults"), rows)]
    if len(order) > SHOWN:
        lines.append("and %d other environments" % (len(order) - SHOWN))
    return lines
