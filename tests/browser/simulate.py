"""A small simulator that makes traces for tests of the timeline: a sieve of environments, as in
user/primes.c, on several CPUs with one big lock. The same arguments always give the same trace.

The result has the form of a real trace's model (tools/see/decode.py); its times are invented."""

import heapq
import random

KINDS = ["enter", "leave", "lock_wait", "lock_sleep", "lock_taken", "lock_drop", "run", "idle",
         "halt", "interrupt", "ipi", "message", "block", "fork", "destroy", "fault"]
CALLS = ["cputs", "cgetc", "getenvid", "env_destroy", "page_alloc", "page_map", "page_unmap",
         "exofork", "env_set_status", "env_set_pgfault_upcall", "yield", "ipc_try_send", "ipc_recv"]
TRAPS = {"3": "Breakpoint", "14": "Page Fault", "32": "timer", "48": "System call", "51": "wake-up"}
PLACES = ["umain user/primes.c:18", "fork lib/fork.c:80", "ipc_recv lib/ipc.c:20",
          "trap kern/trap.c:210", "lock_kernel kern/biglock.c:60", "sched_yield kern/sched.c:45",
          "sched_halt kern/sched.c:80", "ipc_send kern/ipc.c:120", "env_run kern/env.c:300",
          "page_fault_handler kern/trap.c:150", "env_destroy kern/end.c:70"]
FIRST_ID, PAGE_FAULT, TIMER, SYSCALL, WAKE_UP = 0x1000, 14, 32, 48, 51
SLICE = 1000000  # Ticks
SPIN = 2500  # A CPU that waits longer for the lock, sleeps


class Env:
    def __init__(self, number, parent):
        self.id, self.parent = FIRST_ID + number, parent
        self.inbox = 0  # Messages that wait
        self.receives = False
        self.child = None
        self.work = 0  # Messages sent or received


class Cpu:
    def __init__(self, number):
        self.number, self.env, self.idle, self.halted = number, None, True, False
        self.slice_end = 0


class Simulator:
    def __init__(self, cpus, events, seed, most_envs):
        self.random = random.Random(seed)
        self.cpus = [Cpu(c) for c in range(cpus)]
        self.limit, self.most_envs = events, most_envs
        self.rows, self.envs, self.ready = [], [], []
        self.holder, self.waiters = None, []  # Of the big lock
        self.queue = []  # (time, order, CPU, function)
        self.order = 0

    def at(self, t, cpu, function):
        self.order += 1
        heapq.heappush(self.queue, (t, self.order, cpu, function))

    def note(self, t, cpu, kind, arg=0, place=-1, env=None):
        env = cpu.env if env is None else env
        self.rows.append((t, cpu.number, KINDS.index(kind), env.id if env else 0, arg, place))

    def delay(self, mean):
        return 1 + int(self.random.expovariate(1 / mean))

    def new_env(self, parent):
        self.envs.append(Env(len(self.envs), parent))
        return self.envs[-1]

    # ---- The kernel ----

    def take_lock(self, t, cpu, then):
        """Call `then` soon after the CPU has the lock."""
        if self.holder:
            self.note(t, cpu, "lock_wait", place=4)
            self.waiters.append((t, cpu, then))
        else:
            self.have_lock(t, cpu, then)

    def have_lock(self, t, cpu, then):
        self.holder = cpu
        self.note(t, cpu, "lock_taken", place=4)
        self.at(t + self.delay(250), cpu, then)

    def drop_lock(self, t, cpu):
        self.note(t, cpu, "lock_drop", place=4)
        self.holder = None
        if self.waiters:
            since, waiter, then = self.waiters.pop(0)
            if t > since + SPIN:
                self.note(since + SPIN, waiter, "lock_sleep", place=4)
            self.have_lock(t + self.delay(30), waiter, then)

    def make_ready(self, t, cpu, env):
        """Put an environment into the queue, and wake an idle CPU."""
        self.ready.append(env)
        other = next((other for other in self.cpus if other.idle), None)
        if other:
            other.idle = False
            if other.halted:
                self.note(t, cpu, "ipi", other.number << 8 | WAKE_UP, 5)
            self.at(t + self.delay(400), other, self.awake)

    def awake(self, t, cpu):
        if cpu.halted:
            self.note(t, cpu, "interrupt", WAKE_UP, 6)
            cpu.halted = False
        self.take_lock(t + 20, cpu, self.schedule)

    def schedule(self, t, cpu):
        """Run the next environment, or be idle. The CPU has the lock."""
        if self.ready:
            env = self.ready.pop(0)
            cpu.slice_end = t + SLICE
            if env is not cpu.env:
                cpu.env = env
                self.note(t, cpu, "run", place=8)
            self.at(t + self.delay(150), cpu, self.leave)
            return
        cpu.env, cpu.idle = None, True
        self.note(t, cpu, "idle", place=6)
        self.drop_lock(t + 1, cpu)
        self.at(t + 2000 + self.delay(4000), cpu, self.halt)

    def halt(self, t, cpu):
        if cpu.idle and not cpu.halted:
            cpu.halted = True
            self.note(t, cpu, "halt", place=6)

    def leave(self, t, cpu):
        self.drop_lock(t, cpu)
        self.note(t + 15, cpu, "leave", place=0)
        self.at(t + 15 + self.delay(1500), cpu, self.user)

    # ---- A program ----

    def user(self, t, cpu):
        env = cpu.env
        if t > cpu.slice_end:
            self.trap(t, cpu, TIMER, self.timer)
        elif self.random.random() < 0.03:
            self.trap(t, cpu, PAGE_FAULT, self.fault)
        elif env.child is None and (env.work > 0 or not env.parent):
            self.call(t, cpu, "exofork", self.fork)
        elif env.parent and env.work % 2 == 0:
            self.call(t, cpu, "ipc_recv", self.receive)
        elif env.child and (env.child.inbox < 3 or env.parent):
            self.call(t, cpu, "ipc_try_send", self.send)
        else:
            self.call(t, cpu, "yield", self.give_way)

    def call(self, t, cpu, name, handler):
        self.trap(t, cpu, SYSCALL | CALLS.index(name) << 8, handler)

    def trap(self, t, cpu, arg, handler):
        self.note(t, cpu, "enter", arg, self.random.randrange(3))
        self.at(t + self.delay(40), cpu, lambda t, cpu: self.take_lock(t, cpu, handler))

    def timer(self, t, cpu):
        self.ready.append(cpu.env)
        self.schedule(t, cpu)

    give_way = timer

    def fault(self, t, cpu):
        self.note(t, cpu, "fault", 0xeebfd000 + 4 * self.random.randrange(1000), 9)
        self.at(t + self.delay(300), cpu, self.leave)

    def fork(self, t, cpu):
        env = cpu.env
        if len(self.envs) < self.most_envs:
            env.child = self.new_env(env)
            self.note(t, cpu, "fork", env.child.id, 1)
            self.make_ready(t, cpu, env.child)
        else:
            env.child = env.parent  # The last one sends to the one before.
        env.work += 1
        self.at(t + self.delay(900), cpu, self.leave)

    def receive(self, t, cpu):
        env = cpu.env
        env.work += 1
        if env.inbox:
            env.inbox -= 1
            self.at(t + 20, cpu, self.leave)
            return
        env.receives = True
        self.note(t, cpu, "block", 0, 7)
        self.schedule(t + 30, cpu)

    def send(self, t, cpu):
        env, receiver = cpu.env, cpu.env.child
        env.work += 1
        self.note(t, cpu, "message", receiver.id, 7)
        if receiver.receives:
            receiver.receives = False
            self.make_ready(t + 20, cpu, receiver)
        else:
            receiver.inbox += 1
        self.at(t + self.delay(60), cpu, self.leave)

    # ---- The run ----

    def run(self):
        self.ready.append(self.new_env(None))
        self.cpus[0].idle = False
        self.at(0, self.cpus[0], self.awake)
        for cpu in self.cpus[1:]:
            self.note(10 * cpu.number, cpu, "idle", place=6)
        while self.queue and len(self.rows) < self.limit:
            t, _, cpu, function = heapq.heappop(self.queue)
            function(t, cpu)
        self.end()

    def end(self):
        """The last environment ends, so that the trace has such an event."""
        t = max(row[0] for row in self.rows) + 100
        self.note(t, self.cpus[0], "destroy", self.envs[-1].id, 10, self.envs[-1])


def story(cpus, *rows):
    """A model with these events: (time, CPU, kind, environment, argument)."""
    columns = [list(column) for column in zip(*rows)]
    columns[2] = [KINDS.index(kind) for kind in columns[2]]
    events = dict(zip(("t", "cpu", "kind", "env", "arg"), columns), place=[-1] * len(rows))
    return make_model(cpus, [Env(0, None), Env(1, None)], events)


def simulate(cpus=4, events=20000, seed=1, envs=40):
    """A model with about so many events."""
    simulator = Simulator(cpus, events, seed, envs)
    simulator.run()
    rows = sorted(simulator.rows, key=lambda row: row[0])
    start = rows[0][0]
    columns = list(zip(*rows))
    names = ("t", "cpu", "kind", "env", "arg", "place")
    events = {name: list(column) for name, column in zip(names, columns)}
    events["t"] = [t - start for t in events["t"]]
    return make_model(cpus, simulator.envs, events)


def make_model(cpus, envs, events):
    return {"version": 1, "program": "primes", "command": "make trace-primes CPUS=%d" % cpus,
            "cpus": cpus, "ticks_per_second": 1000000000, "lost": [0] * cpus,
            "envs": [{"id": env.id, "program": "primes",
                      "parent": env.parent.id if env.parent else 0} for env in envs],
            "calls": CALLS, "traps": TRAPS, "kinds": KINDS, "places": PLACES, "events": events}
