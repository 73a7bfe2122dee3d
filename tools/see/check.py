"""Check a trace: does it show a kernel that works, and is the trace itself in order?

The rules, for the events of a model (decode.py):

- The records of a CPU are in the order of time.
- A CPU enters the kernel only from user mode, and leaves it only from the kernel. In user mode,
  there are no other events.
- The big lock is held by one CPU at a time; each drop follows a take by the same CPU. A CPU sleeps
  for the lock only while it waits, and neither waits nor halts nor leaves the kernel with the lock.
- Environments are put on a CPU, made, ended, blocked and sent messages only under the lock.
- A CPU runs one environment at a time, which only `run` puts on a CPU, and an environment is on one
  CPU at a time. Environments run after they were made, and not after their end.
- A message goes to an environment that waits, or that receives it itself.

Where records were lost, nothing is known about their CPU, and no rule is broken.
"""

LOCKED = ("run", "idle", "message", "block", "fork", "destroy", "fault")
BLOCK_RECEIVE, BLOCK_SEND = 0, 1
USER, KERNEL = "user mode", "the kernel"
UNKNOWN = None
NO_CPU = -1


class Cpu:
    """What is known about a CPU. Each member may be UNKNOWN."""

    def __init__(self):
        self.mode = UNKNOWN     # USER or KERNEL
        self.env = UNKNOWN      # The environment on the CPU; 0: none
        self.waiting = UNKNOWN  # Whether it waits for the lock


class Checker:
    """Goes through the events in the order of time. `complaints`: sentences, in that order."""

    def __init__(self, model):
        self.complaints = []
        self.kinds = model["kinds"]
        self.ticks_per_second = model["ticks_per_second"]
        self.cpus = [Cpu() for _ in range(model["cpus"])]
        self.holder = NO_CPU  # Of the big lock: a CPU, NO_CPU or UNKNOWN
        self.on_cpu = {}      # {environment: CPU}
        self.alive = {}       # {environment: whether it is alive}, for those that are known
        self.blocked = set()  # Environments that wait to receive or to send
        self.gaps = {}        # {index of an event: the CPUs of which records are missing after it}
        self.missing = set()  # The CPUs of which records are missing now
        for cpu, index in model["gaps"]:
            self.gaps.setdefault(index, []).append(cpu)
        self.now = 0

    def complain(self, cpu, text, *args):
        self.complaints.append("%.6f s: CPU %d %s"
                               % (self.now / self.ticks_per_second, cpu, text % args))

    def run(self, events):
        self.forget(-1)
        columns = zip(events["t"], events["cpu"], events["kind"], events["env"], events["arg"])
        for i, (self.now, cpu, kind, env, arg) in enumerate(columns):
            name = self.kinds[kind]
            self.missing.discard(cpu)
            if name != "message":  # Its env is the sender.
                self.check_env(cpu, name, env)
            self.check_mode(cpu, name)
            if name in LOCKED:
                self.check_locked(cpu, name)
            handler = getattr(self, "on_" + name, None)
            if handler:
                handler(cpu, env, arg)
            self.forget(i)

    def forget(self, index):
        """Forget what is known about a CPU after the event, if its next records are missing."""
        for cpu in self.gaps.get(index, ()):
            self.cpus[cpu] = Cpu()
            self.missing.add(cpu)
            if self.holder in (cpu, NO_CPU):
                self.holder = UNKNOWN
            for env in [env for env, on in self.on_cpu.items() if on == cpu]:
                del self.on_cpu[env]
            self.alive.clear()
            self.blocked = UNKNOWN

    # ---- Rules for all events ----

    def check_env(self, cpu, name, env):
        state = self.cpus[cpu]
        if name != "run" and state.env is not UNKNOWN and env not in (state.env, 0):
            self.complain(cpu, "has environment %08x on it, without a run; %s", env, name)
        if env == state.env:
            return
        if state.env and self.on_cpu.get(state.env) == cpu:
            del self.on_cpu[state.env]
        if env:
            if self.on_cpu.get(env, cpu) != cpu:
                self.complain(cpu, "runs environment %08x, which is on CPU %d", env,
                              self.on_cpu[env])
            self.on_cpu[env] = cpu
        state.env = env

    def check_mode(self, cpu, name):
        state = self.cpus[cpu]
        wanted = USER if name == "enter" else KERNEL
        if state.mode not in (UNKNOWN, wanted):
            self.complain(cpu, "has the event %s in %s", name, state.mode)
        state.mode = USER if name == "leave" else KERNEL

    def check_locked(self, cpu, name):
        if self.holder not in (UNKNOWN, cpu):
            self.complain(cpu, "has the event %s without the lock", name)

    def check_unlocked(self, cpu, name):
        if self.holder == cpu:
            self.complain(cpu, "has the event %s while it holds the lock", name)

    # ---- The lock ----

    def on_lock_wait(self, cpu, env, arg):
        self.check_unlocked(cpu, "lock_wait")
        self.cpus[cpu].waiting = True

    def on_lock_sleep(self, cpu, env, arg):
        if self.cpus[cpu].waiting is False:
            self.complain(cpu, "sleeps for the lock, but does not wait for it")

    def on_lock_taken(self, cpu, env, arg):
        if self.holder not in (UNKNOWN, NO_CPU):
            self.complain(cpu, "takes the lock, which CPU %d holds", self.holder)
        self.holder = cpu
        self.cpus[cpu].waiting = False

    def on_lock_drop(self, cpu, env, arg):
        if self.holder not in (UNKNOWN, cpu):
            self.complain(cpu, "drops the lock, which %s",
                          "no CPU holds" if self.holder == NO_CPU
                          else "CPU %d holds" % self.holder)
        self.holder = UNKNOWN if self.missing else NO_CPU

    # ---- Environments ----

    def on_leave(self, cpu, env, arg):
        self.check_unlocked(cpu, "leave")
        if not env:
            self.complain(cpu, "enters user mode without an environment")

    def on_halt(self, cpu, env, arg):
        self.check_unlocked(cpu, "halt")

    def on_run(self, cpu, env, arg):
        if not self.alive.get(env, True):
            self.complain(cpu, "runs environment %08x after its end", env)
        if self.blocked:
            self.blocked.discard(env)

    def on_fork(self, cpu, env, arg):
        if self.alive.get(arg):
            self.complain(cpu, "makes environment %08x, which exists", arg)
        self.alive[arg] = True

    def on_destroy(self, cpu, env, arg):
        if not self.alive.get(arg, True):
            self.complain(cpu, "ends environment %08x after its end", arg)
        self.alive[arg] = False
        if self.blocked:
            self.blocked.discard(arg)

    def on_block(self, cpu, env, arg):
        if self.blocked is not UNKNOWN and arg in (BLOCK_RECEIVE, BLOCK_SEND):
            self.blocked.add(env)

    def on_message(self, cpu, env, arg):
        if self.blocked is not UNKNOWN and arg not in self.blocked and self.cpus[cpu].env != arg:
            self.complain(cpu, "delivers a message to %08x, which does not wait", arg)


def check_times(streams):
    """Check that the records of each CPU are in the order of time; return sentences."""
    complaints = []
    for cpu, stream in enumerate(streams):
        latest = 0
        for number, time, *_ in stream.records():
            if time < latest:
                complaints.append("CPU %d: record %d is %d ticks older than the record before it"
                                  % (cpu, number, latest - time))
            latest = time
    return complaints


def check(model):
    """Check the events of a model; return what is wrong as a list of sentences."""
    checker = Checker(model)
    checker.run(model["events"])
    return checker.complaints
