"""Write a trace (a model of decode.py) in the format of Perfetto, for https://ui.perfetto.dev.

The format is a sequence of TracePackets, as Protocol Buffers. The few fields that we need are
encoded here by hand; their numbers are those of Perfetto's .proto files.

- Each CPU's lane shows which environment runs: an FtraceEventBundle with sched_switch events.
- Each environment is a thread of a process, the program. Its slices are its entries into the
  kernel: from `enter` until the environment itself is in user mode again. Flows lead from a message
  to the return of its receiver.
- One track shows which CPU holds the big lock. A track for each CPU shows when it waits for the
  lock, and its interrupts.
"""

# TracePacket and its parts: numbers of fields.
TRACE_PACKET = 1
PACKET_FTRACE, PACKET_TIMESTAMP, PACKET_SEQUENCE, PACKET_EVENT, PACKET_FLAGS, PACKET_TRACK = \
    1, 8, 10, 11, 13, 60
TRACK_UUID, TRACK_NAME, TRACK_PROCESS, TRACK_THREAD = 1, 2, 3, 4
PROCESS_PID, PROCESS_NAME = 1, 6
THREAD_PID, THREAD_TID, THREAD_NAME = 1, 2, 5
EVENT_ANNOTATION, EVENT_TYPE, EVENT_TRACK, EVENT_NAME, EVENT_FLOW, EVENT_LAST_FLOW = \
    4, 9, 11, 23, 47, 48
ANNOTATION_STRING, ANNOTATION_NAME = 6, 10
BUNDLE_CPU, BUNDLE_EVENT = 1, 2
FTRACE_TIMESTAMP, FTRACE_PID, FTRACE_SWITCH, FTRACE_WAKING = 1, 2, 4, 20
PREV_COMM, PREV_PID, PREV_PRIO, PREV_STATE, NEXT_COMM, NEXT_PID, NEXT_PRIO = range(1, 8)
WAKING_COMM, WAKING_PID, WAKING_PRIO, WAKING_SUCCESS, WAKING_CPU = range(1, 6)

# Values.
BEGIN, END, INSTANT = 1, 2, 3
FIRST_PACKET = 1   # SEQ_INCREMENTAL_STATE_CLEARED
SEQUENCE = 1
PRIORITY = 120     # Linux's normal priority
RUNNABLE, SLEEPS = 0, 1
BUNDLE_EVENTS = 1000

# Tracks. An environment's track is ENV_TRACKS + its id.
PROCESS_TRACK, LOCK_TRACK, CPU_TRACKS, ENV_TRACKS = 1, 2, 100, 1 << 32

T_SYSCALL = 48


# ---- Protocol Buffers ----

def varint(number):
    """A number of any size, seven bits a byte, the lowest bits first."""
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def uint(field, number):
    return varint(field << 3) + varint(number)


def fixed64(field, number):
    return varint(field << 3 | 1) + number.to_bytes(8, "little")


def message(field, *parts):
    body = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(body)) + body


def text(field, string):
    return message(field, string.encode())


# ---- Packets ----

class Writer:
    """Collects the packets of one trace. Times are in nanoseconds."""

    def __init__(self):
        self.out = []
        self._flags = uint(PACKET_FLAGS, FIRST_PACKET)

    def packet(self, *parts):
        self.out.append(message(TRACE_PACKET, *parts, uint(PACKET_SEQUENCE, SEQUENCE),
                                self._flags))
        self._flags = b""

    def track(self, uuid, *parts):
        self.packet(message(PACKET_TRACK, uint(TRACK_UUID, uuid), *parts))

    def event(self, time, kind, track, name=None, place=None, flow=b""):
        """A TrackEvent: BEGIN, END or INSTANT. `place` becomes an annotation."""
        parts = [uint(EVENT_TYPE, kind), uint(EVENT_TRACK, track), flow]
        if name:
            parts.append(text(EVENT_NAME, name))
        if place:
            parts.append(message(EVENT_ANNOTATION, text(ANNOTATION_NAME, "place"),
                                 text(ANNOTATION_STRING, place)))
        self.packet(uint(PACKET_TIMESTAMP, time), message(PACKET_EVENT, *parts))

    def bundles(self, cpu, events):
        """FtraceEvents of a CPU."""
        for i in range(0, len(events), BUNDLE_EVENTS):
            self.packet(message(PACKET_FTRACE, uint(BUNDLE_CPU, cpu), *events[i:i + BUNDLE_EVENTS]))


# ---- From the model ----

class Converter:
    """Goes through the events of a model and writes packets."""

    def __init__(self, model):
        self.model = model
        self.writer = Writer()
        self.names = {env["id"]: env["program"] for env in model["envs"]}
        self.pid = model["envs"][0]["id"] if model["envs"] else 1
        self.on_cpu = [0] * model["cpus"]              # The environment on each CPU
        self.ftrace = [[] for _ in range(model["cpus"])]
        self.sleeping = set()                          # Environments that wait in a call
        self.entered = set()                           # Environments with an open slice
        self.waiting = set()                           # CPUs that wait for the lock
        self.locked = False                            # Whether the lock's track has an open slice
        self.flows = 0
        self.received = {}                             # {receiver: flows of its messages}

    def describe_tracks(self):
        track = self.writer.track
        program = self.model["program"] or "JOS"
        track(PROCESS_TRACK, message(TRACK_PROCESS, uint(PROCESS_PID, self.pid),
                                     text(PROCESS_NAME, program)))
        track(LOCK_TRACK, text(TRACK_NAME, "big kernel lock: held by"))
        for cpu in range(self.model["cpus"]):
            track(CPU_TRACKS + cpu, text(TRACK_NAME, "CPU %d: lock and interrupts" % cpu))
        for env in self.model["envs"]:
            track(ENV_TRACKS + env["id"], message(
                TRACK_THREAD, uint(THREAD_PID, self.pid), uint(THREAD_TID, env["id"]),
                text(THREAD_NAME, self.comm(env["id"]))))

    def comm(self, env):
        """The name of a thread."""
        return "%s %08x" % (self.names.get(env) or "env", env) if env else "idle"

    def switch(self, time, cpu, env):
        """Another environment, or none, is on a CPU."""
        old = self.on_cpu[cpu]
        state = SLEEPS if old in self.sleeping else RUNNABLE
        self.ftrace[cpu].append(message(
            BUNDLE_EVENT, uint(FTRACE_TIMESTAMP, time), uint(FTRACE_PID, old),
            message(FTRACE_SWITCH, text(PREV_COMM, self.comm(old)), uint(PREV_PID, old),
                    uint(PREV_PRIO, PRIORITY), uint(PREV_STATE, state),
                    text(NEXT_COMM, self.comm(env)), uint(NEXT_PID, env),
                    uint(NEXT_PRIO, PRIORITY))))
        self.on_cpu[cpu] = env

    def convert(self):
        self.describe_tracks()
        kinds, places, events = (self.model[key] for key in ("kinds", "places", "events"))
        per_tick = 10**9 / self.model["ticks_per_second"]
        handlers = [getattr(self, "on_" + kind, None) for kind in kinds]
        for t, cpu, kind, env, arg, place in zip(*(events[c] for c in (
                "t", "cpu", "kind", "env", "arg", "place"))):
            time = int(t * per_tick)
            if kinds[kind] != "message" and env != self.on_cpu[cpu]:
                self.switch(time, cpu, env)
            if handlers[kind]:
                handlers[kind](time, cpu, env, arg, places[place] if place >= 0 else None)
        for cpu, ftrace in enumerate(self.ftrace):
            self.writer.bundles(cpu, ftrace)
        return self.writer.out

    # ---- One event ----

    def trap_name(self, arg):
        vector, call = arg & 0xff, arg >> 8
        if vector == T_SYSCALL:
            calls = self.model["calls"]
            return "sys_" + calls[call] if call < len(calls) else "call %d" % call
        return self.model["traps"].get(str(vector), "vector %d" % vector)

    def on_enter(self, time, cpu, env, arg, place):
        self.writer.event(time, BEGIN, ENV_TRACKS + env, self.trap_name(arg), place)
        self.entered.add(env)

    def on_leave(self, time, cpu, env, arg, place):
        self.sleeping.discard(env)
        for flow in self.received.pop(env, ()):
            self.writer.event(time, INSTANT, ENV_TRACKS + env, "received",
                              flow=fixed64(EVENT_LAST_FLOW, flow))
        self.end_slice(time, env)

    def end_slice(self, time, env):
        if env in self.entered:
            self.writer.event(time, END, ENV_TRACKS + env)
            self.entered.discard(env)

    def on_destroy(self, time, cpu, env, arg, place):
        self.instant(time, env, "end of %08x" % arg, place)
        self.end_slice(time, arg)
        self.sleeping.add(arg)

    def on_block(self, time, cpu, env, arg, place):
        self.sleeping.add(env)

    def on_run(self, time, cpu, env, arg, place):
        self.sleeping.discard(env)

    def on_message(self, time, cpu, env, arg, place):
        self.flows += 1
        self.received.setdefault(arg, []).append(self.flows)
        self.writer.event(time, INSTANT, ENV_TRACKS + env, "message to %08x" % arg, place,
                          fixed64(EVENT_FLOW, self.flows))
        if arg in self.sleeping:
            self.sleeping.discard(arg)
            self.ftrace[cpu].append(message(
                BUNDLE_EVENT, uint(FTRACE_TIMESTAMP, time), uint(FTRACE_PID, self.on_cpu[cpu]),
                message(FTRACE_WAKING, text(WAKING_COMM, self.comm(arg)), uint(WAKING_PID, arg),
                        uint(WAKING_PRIO, PRIORITY), uint(WAKING_SUCCESS, 1),
                        uint(WAKING_CPU, cpu))))

    def instant(self, time, env, name, place):
        self.writer.event(time, INSTANT, ENV_TRACKS + env if env else PROCESS_TRACK, name, place)

    def on_fork(self, time, cpu, env, arg, place):
        self.instant(time, env, "fork of %08x" % arg, place)

    def on_fault(self, time, cpu, env, arg, place):
        self.instant(time, env, "page fault at %08x" % arg, place)

    def on_ipi(self, time, cpu, env, arg, place):
        self.writer.event(time, INSTANT, CPU_TRACKS + cpu, "interrupt for CPU %d" % (arg >> 8),
                          place)

    def on_interrupt(self, time, cpu, env, arg, place):
        self.writer.event(time, INSTANT, CPU_TRACKS + cpu, self.trap_name(arg), place)

    def on_lock_wait(self, time, cpu, env, arg, place):
        if cpu not in self.waiting:
            self.writer.event(time, BEGIN, CPU_TRACKS + cpu, "waits for the lock", place)
        self.waiting.add(cpu)

    def on_lock_taken(self, time, cpu, env, arg, place):
        if cpu in self.waiting:
            self.writer.event(time, END, CPU_TRACKS + cpu)
            self.waiting.discard(cpu)
        self.end_hold(time)
        self.writer.event(time, BEGIN, LOCK_TRACK, "CPU %d" % cpu, place)
        self.locked = True

    def on_lock_drop(self, time, cpu, env, arg, place):
        self.end_hold(time)

    def end_hold(self, time):
        if self.locked:
            self.writer.event(time, END, LOCK_TRACK)
        self.locked = False


def write_perfetto(model, path):
    """Write the trace to a file."""
    with open(path, "wb") as f:
        f.writelines(Converter(model).convert())
