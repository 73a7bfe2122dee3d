"""Backtraces from the kernel into the program, and `jos trapframe`.

kern/check/unwind.inc tells GDB where the code continues that a trap has interrupted, lib/unwind.inc
the same for upcalls. For GDB, an entry point is then the trampoline of a signal handler. This has
two effects that are corrected here. bt shows no name: a frame filter adds it. When the machine
stops in an entry point, GDB shows no source line, and step and next leave the entry point at once:
an unwinder makes the newest frame a usual one, which ends a backtrace, from such a stop until a
command needs the frames.
"""

import contextlib
import re

import gdb
from gdb.FrameDecorator import FrameDecorator
from gdb.unwinder import Unwinder, register_unwinder

from tools.gdb import kernel
from tools.gdb.command import Command, number

ENTRIES = ("trap_stubs", "all_traps", "syscall_int", "sysenter_entry", "sysenter_stepped")
T_SYSCALL = 48
TF_SIZE, TF_ESP = 68, 60  # sizeof(struct Trapframe), and an offset in it


# ---- The kernel's entry points ----

_known = None, ()  # The kernel's symbols, and [(first address, end, name)] of its entry points


def entry_of(pc):
    """The name of the entry point that contains an address, or None."""
    global _known
    symbols = kernel.elf(kernel.objfile().filename)
    if symbols is not _known[0]:
        _known = symbols, [(*kernel.kernel_range(name), name) for name in ENTRIES]
    return next((name for first, end, name in _known[1] if first <= pc < end), None)


class TrampolineFrame(FrameDecorator):
    """The frame of code that GDB takes for the trampoline of a signal handler."""

    def function(self):
        return self.inferior_frame().name()

    def line(self):
        """The line of the call that the code has made, or of its next instruction."""
        frame = self.inferior_frame()
        return gdb.find_pc_line(frame.pc() - bool(frame.newer())).line


class TrampolineFilter:
    """Decorates the frames of trampolines."""

    def __init__(self):
        self.name, self.priority, self.enabled = "jos-entries", 100, True
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        for frame in frames:
            is_trampoline = frame.inferior_frame().type() == gdb.SIGTRAMP_FRAME
            yield TrampolineFrame(frame) if is_trampoline else frame


class FrameId:
    """What create_unwind_info needs to tell frames apart."""

    def __init__(self, sp, pc):
        self.sp, self.pc = gdb.Value(sp), gdb.Value(pc)


class EntryUnwinder(Unwinder):
    """Makes the newest frame a usual one, if it is in an entry point. The frame has the same
    identity as with the rules of unwind.inc, because `next` compares the two."""

    def __init__(self):
        super().__init__("jos-entry")
        self.enabled = False

    def __call__(self, pending):
        if newest_is_known(pending):
            return None
        with contextlib.suppress(gdb.error, gdb.GdbError):
            pc = kernel.unsigned(pending.read_register("eip"))
            name = entry_of(pc)
            if name:
                sp = caller_sp(name, *(kernel.unsigned(pending.read_register(r))
                                       for r in ("esp", "ebp")))
                return pending.create_unwind_info(FrameId(sp, kernel.kernel_range(name)[0]))
        return None


def newest_is_known(pending):
    """Whether a frame is not the newest one. GDB 11 and older cannot tell: then every frame of an
    entry point ends a backtrace while the unwinder is enabled."""
    return hasattr(pending, "level") and pending.level() > 0


def caller_sp(name, esp, ebp):
    """esp of the interrupted code: the rule for the CFA in kern/check/unwind.inc."""
    top = stack_top_above(esp)
    if name.startswith("sysenter") and esp > top - TF_SIZE:
        return ebp
    if esp + 4 < top - TF_SIZE:
        return esp + 4 + TF_ESP
    return kernel.words(top - TF_SIZE + TF_ESP, 1)[0]


def stack_top_above(sp):
    """The top of the kernel stack to which a stack pointer belongs."""
    step = kernel.constant("KSTKSIZE") + kernel.constant("KSTKGAP")
    return (sp - 1 | step - 1) + 1


class EntryStops:
    """Enables the unwinder when the machine has stopped in an entry point, until a command that
    shows other frames."""

    COMMANDS = ("backtrace", "up", "frame", "finish")

    def __init__(self, unwinder):
        self._unwinder, self._in_entry = unwinder, False
        gdb.events.cont.connect(self.resumed)
        for command in self.COMMANDS:
            gdb.execute("define hook-%s\npython jos_needs_frames()\nend" % command)

    def _enable(self, on):
        if self._unwinder.enabled != on:
            self._unwinder.enabled = on
            gdb.invalidate_cached_frames()

    def stopped(self):
        """Called at each stop, before GDB prints the place."""
        self._in_entry = False
        with contextlib.suppress(gdb.error, gdb.GdbError):
            self._in_entry = entry_of(kernel.register("eip")) is not None
        self._enable(self._in_entry)

    def resumed(self, _):
        self._unwinder.enabled = self._in_entry

    def needs_frames(self):
        self._enable(False)


# ---- Trap frames ----

def innermost_frame():
    """The address of the trap frame that is nearest on the selected CPU's stack, or None. An entry
    point has called a C function with the frame's address, which lies at esp; so the frame lies at
    esp + 4, or at the top of the stack if the entry point has not got so far yet."""
    frame = gdb.newest_frame()
    while frame:
        if entry_of(frame.pc()):
            sp = kernel.unsigned(frame.read_register("esp"))
            frame_at_top = stack_top_above(sp) - TF_SIZE
            return min(sp + 4, frame_at_top) if sp <= frame_at_top else None
        frame = frame.older()
    return None


class Trapframe(Command):
    """Show a trap frame: jos trapframe [ENV|ADDRESS]
Without an argument: the frame of the trap that this CPU handles. ENV: the registers of an
environment, from its last trap. ADDRESS: an expression, for example tf."""

    NAME = "trapframe"
    MOST = 1

    def run(self, words):
        address, name = self.find(words[0] if words else "")
        tf = kernel.frame_at(address)
        yield "Trap frame at %08x: %s" % (address, name)
        for label, members in (("", ("eax", "ebx", "ecx", "edx")),
                               ("", ("esi", "edi", "ebp"))):
            yield "  " + "  ".join("%s %08x" % (m, tf["tf_regs"]["reg_" + m]) for m in members)
        user = int(tf["tf_cs"]) & 3
        yield "  eip %08x  cs %04x  eflags %08x%s" % (
            tf["tf_eip"], tf["tf_cs"], tf["tf_eflags"],
            "  esp %08x  ss %04x" % (tf["tf_esp"], tf["tf_ss"]) if user else "")
        yield "  ds %04x  es %04x  trap %d, %s  err %08x" % (
            tf["tf_ds"], tf["tf_es"], tf["tf_trapno"], trap_name(int(tf["tf_trapno"])),
            tf["tf_err"])
        program = name.partition("(")[2].rstrip(")")
        yield "  at " + kernel.place(kernel.unsigned(tf["tf_eip"]), program)

    @staticmethod
    def find(text):
        """The address and the description of a frame."""
        if not text:
            address = innermost_frame()
            if address is None:
                raise gdb.GdbError("CPU %d is not in a trap. Name an environment: jos envs lists "
                                   "them." % kernel.cpu_number())
            env = kernel.current_env()
            return address, "environment " + env.describe() if env else "the kernel"
        try:
            env = kernel.find_env(text)
        except gdb.GdbError:
            if re.match(r"\d(?![xX])", text):  # An id: addresses begin with 0x.
                raise
            return number(text, "The address"), "at this address"
        return kernel.unsigned(env.frame().address), "environment " + env.describe()


def trap_name(vector):
    """The text that the kernel prints for a vector: inc/trap.h."""
    if vector == T_SYSCALL:
        return "System call"
    if 32 <= vector < 48:
        return "Hardware Interrupt"
    return kernel.trap_texts().get(vector, "interrupt" if vector > T_SYSCALL else "unknown trap")


def register():
    """Register all of the above. Returns the EntryStops."""
    unwinder = EntryUnwinder()
    register_unwinder(None, unwinder, replace=True)
    TrampolineFilter()
    Trapframe()
    return EntryStops(unwinder)
