"""The commands `jos envs`, `jos cpus` and `jos lock`."""

import gdb

from tools.gdb import kernel
from tools.gdb.command import Command, table

# cpu_status, in the order of kern/cpu.h. CPU_STARTED is replaced by what the CPU does.
CPU_STATUS = ("starting", "starting", "", "idle, polls", "idle, halted", "stopped")
STARTED = 2

MOST_FRAMES = 30  # Where a CPU that waits for the lock is looked for


class Envs(Command):
    """List the environments: id, program, what each does, CPU, parent, turns, place in its code.
The CPU is the one on which it runs, or ran last."""

    NAME = "envs"

    def run(self, words):
        rows = [("ENV", "PROGRAM", "STATUS", "CPU", "PARENT", "RUNS", "AT")]
        for env in kernel.environments():
            rows.append(("%08x" % env.id, env.program, env.doing(), str(env.cpu),
                         "%08x" % kernel.unsigned(env.value["env_parent_id"]),
                         str(env.value["env_runs"]), self.place(env)))
        return table(rows) if len(rows) > 1 else ["There are no environments."]

    @staticmethod
    def place(env):
        """Where the environment is in its code. On a CPU in user mode, the registers tell."""
        pc = None
        if env.oncpu:
            thread = next((t for t in kernel.threads() if kernel.cpu_number(t) == env.cpu), None)
            if thread:
                with kernel.selected(thread):
                    pc = kernel.register("eip") if kernel.in_user_mode() else None
        return kernel.place(kernel.unsigned(env.frame()["tf_eip"]) if pc is None else pc,
                            env.program)


class Cpus(Command):
    """List the CPUs: what each does, its environment, and the place in the code.
The star marks the selected CPU. CPU n is GDB's thread n+1: type thread n+1 to select it."""

    NAME = "cpus"
    NEEDS_KERNEL = False

    def run(self, words):
        rows = [(" ", "CPU", "STATUS", "ENV", "AT")]
        now = kernel.cpu_number()
        for thread in kernel.threads():
            with kernel.selected(thread):
                rows.append(("*" if kernel.cpu_number() == now else " ", *self.row()))
        return table(rows)

    def row(self):
        """The row of the selected CPU."""
        cpu, pc = kernel.cpu_number(), kernel.register("eip")
        if not kernel.kernel_runs():
            return str(cpu), "not started", "", "%#010x" % pc
        env = kernel.current_env()
        return (str(cpu), self.status(cpu), env.describe() if env else "-",
                kernel.place(pc, env.program if env else ""))

    @staticmethod
    def status(cpu):
        if kernel.in_user_mode():
            return "user mode"
        if cpu >= kernel.constant("NCPU"):
            return "not used"
        status = int(kernel.variable("cpus")[cpu]["cpu_status"])
        if status != STARTED:
            return CPU_STATUS[status]
        if holder() == cpu:
            return "kernel, holds the lock"
        return "kernel, waits for the lock" if waits_for_lock() else "kernel"


class Lock(Command):
    """Show the big kernel lock: which CPU holds it, and which CPUs wait for it."""

    NAME = "lock"

    def run(self, words):
        cpu, waiting = holder(), []
        asleep = int(kernel.variable("sleepers"))
        for thread in kernel.threads():
            with kernel.selected(thread):
                number = kernel.cpu_number()
                if number == cpu:
                    env = kernel.current_env()
                    yield "CPU %d holds the big lock%s, at %s" % (
                        cpu, " for environment " + env.describe() if env else "",
                        kernel.place(kernel.register("eip"), ""))
                if asleep >> number & 1 or (kernel.kernel_runs() and waits_for_lock()):
                    waiting.append("CPU %d waits%s" % (
                        number, ", halted until it is woken" if asleep >> number & 1 else ""))
        if cpu is None:
            yield "No CPU holds the big lock."
        yield from waiting or ["No CPU waits for it."]


def holder():
    """The number of the CPU that holds the big lock, or None. The lock holds the selector of the
    CPU's TSS (kern/spinlock.h)."""
    selector = int(kernel.variable("kernel_lock")["holder"])
    return (selector - kernel.constant("GD_TSS0")) >> 3 if selector else None


def waits_for_lock():
    """Whether the selected CPU waits for the big lock: lock_slowly is on its stack."""
    frame, left = gdb.newest_frame(), MOST_FRAMES
    while frame and left:
        if frame.name() == "lock_slowly":
            return True
        frame, left = frame.older(), left - 1
    return False


def register():
    for command in (Envs, Cpus, Lock):
        command()
