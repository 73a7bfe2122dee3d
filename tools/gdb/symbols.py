"""The symbols of user programs, and breakpoints in one program or one environment.

All programs are linked at the same addresses, and GDB has no notion of several programs on one
machine. So GDB gets the symbols of one program at a time: at each stop, those of the program that
runs on the selected CPU. GDB would move a breakpoint such as `break umain` to the next program's
umain then. Such a breakpoint is replaced by one that stays in its program.

The functions $jos_program("NAME") and $jos_env(ID) tell what runs on the CPU. They make conditions:
a breakpoint at an address of a program stops every program that has code there.
"""

import contextlib
import os
import re

import gdb

from tools.gdb import kernel
from tools.gdb.command import Command, number

# How a location begins. GDB's function decode_line ends GDB if there is no location before a comma
# or a word like `if` (seen with GDB 13).
LOCATION = r"(?!(if|thread|task|inferior|-force-condition)\b)[^\s,]"

_loaded = None  # The path of the program file whose symbols GDB has


# ---- Loading ----

def loaded_program():
    """The name of the program whose symbols GDB has, or None."""
    return os.path.basename(_loaded) if _loaded else None


def load(name):
    """Give GDB the symbols of a program in place of the program before."""
    global _loaded
    path = kernel.program_file(name)
    if path == _loaded and not is_missing(path):
        return
    if not kernel.is_program(name):
        raise gdb.GdbError("There is no program %s: make builds %s" % (name, path))
    pinned = pin_breakpoints()
    unload()
    gdb.execute("add-symbol-file " + quote(path), to_string=True)
    _loaded = path
    for line in pinned:
        gdb.write(line + "\n")


def unload():
    """Take the symbols of the loaded program from GDB."""
    global _loaded
    if _loaded:
        with contextlib.suppress(gdb.error):
            gdb.execute("remove-symbol-file " + quote(_loaded), to_string=True)
    _loaded = None


def is_missing(path):
    """Whether GDB's symbols of a file are missing, for example after the command `file`."""
    return not any(o.filename and os.path.realpath(o.filename) == os.path.realpath(path)
                   for o in gdb.objfiles())


def quote(path):
    return '"%s"' % path.replace("\\", "\\\\").replace('"', '\\"')


def are_needed():
    """Whether the selected CPU is in a program."""
    with contextlib.suppress(gdb.error, gdb.GdbError):
        return kernel.in_user_mode()
    return False


def follow_cpu():
    """Load the symbols of the program that runs on the selected CPU. If no program runs, or the
    machine has not come so far, GDB keeps the symbols that it has. Returns whether it has loaded
    some."""
    before = _loaded
    with contextlib.suppress(gdb.error, gdb.GdbError):
        if not kernel.kernel_runs():
            return False
        env = kernel.current_env()
        if env and kernel.is_program(env.program):
            load(env.program)
    return _loaded != before


def stopped(event):
    """Called after each stop, when GDB has printed the place. When GDB gets symbols, it makes new
    locations for all breakpoints. If the machine has stopped at a breakpoint with several
    locations, GDB 13 then prints a warning after each command. So at such a stop, the symbols are
    loaded only when a command needs them."""
    hit = getattr(event, "breakpoints", [])
    if not any(len(getattr(b, "locations", ())) > 1 for b in hit if b.is_valid()):
        follow_cpu()


# ---- Breakpoints that stay in their program ----

def code_addresses(breakpoint):
    """The addresses at which a breakpoint is set."""
    if hasattr(breakpoint, "locations"):  # GDB 13
        return [location.address for location in breakpoint.locations if location.address]
    try:
        return [sal.pc for sal in gdb.decode_line(breakpoint.location)[1] or ()]
    except gdb.error:
        return []


def pin_breakpoints():
    """Replace the breakpoints in the loaded program by breakpoints at their addresses, for that
    program only. Returns lines that say so."""
    lines = []
    if not _loaded:
        return lines
    for old in gdb.breakpoints():
        if old.type not in (gdb.BP_BREAKPOINT, getattr(gdb, "BP_HARDWARE_BREAKPOINT", None)):
            continue
        if not old.is_valid() or not old.visible or not old.location or old.location[0] == "*":
            continue
        addresses = code_addresses(old)
        if addresses and all(address < kernel.constant("ULIM") for address in addresses):
            numbers = [str(copy(old, address).number) for address in addresses]
            lines.append("Breakpoint %d (%s) is now breakpoint %s, in program %s only." % (
                old.number, old.location, ", ".join(numbers), loaded_program()))
            old.delete()
    return lines


def copy(old, address):
    """A breakpoint at an address of the loaded program, with the settings of another one."""
    new = breakpoint_at(address, '$jos_program("%s")' % loaded_program(), old.condition,
                        old.temporary)
    new.enabled = old.enabled
    new.ignore_count = old.ignore_count
    if old.commands:
        new.commands = old.commands
    return new


def breakpoint_at(address, where, condition=None, temporary=False):
    """Set a breakpoint at an address, with the condition `where` and perhaps another one."""
    gdb.execute("%s *%#x if %s" % ("tbreak" if temporary else "break", address,
                                   "%s && (%s)" % (where, condition) if condition else where),
                to_string=True)
    return max(gdb.breakpoints(), key=lambda b: b.number)


class Break(Command):
    """Stop in one program, or in one environment: jos break PROGRAM|ENV LOCATION [if CONDITION]
PROGRAM is the name of a user program, which need not run yet. ENV is the id of an environment that
exists. LOCATION is what GDB's command break takes, for example umain or user/primes.c:20, and is
first looked for in the program, then in the kernel. In the kernel, the breakpoint stops only CPUs
that run this program or environment."""

    NAME = "break"
    NEEDS_KERNEL = False
    MOST = 1000

    def run(self, words):
        if len(words) < 2:
            raise gdb.GdbError("Which program or environment, and where? Type: help jos break")
        location, _, condition = " ".join(words[1:]).partition(" if ")
        if not re.match(LOCATION, location):
            raise gdb.GdbError("'%s' is not a location. Type: help jos break" % location)
        where, program, name = self.condition(words[0])
        load(program)
        for address in self.addresses(location, program):
            new = breakpoint_at(address, where, condition)
            yield "Breakpoint %d at %#010x, for %s: %s" % (
                new.number, address, name, kernel.place(address, program))

    @staticmethod
    def condition(text):
        """The condition, the program and the description of a program or an environment."""
        if kernel.is_program(text):
            return '$jos_program("%s")' % text, text, "program " + text
        if not gdb.selected_thread() or not kernel.kernel_runs():
            raise gdb.GdbError("There is no program %s, and no environment runs yet." % text)
        env = kernel.find_env(text)
        if not env.program:
            raise gdb.GdbError("Environment %08x has no program yet." % env.id)
        return "$jos_env(%#x)" % env.id, env.program, "environment " + env.describe()

    @staticmethod
    def addresses(location, program):
        """The addresses of a location: those in the program, if there are any. After a wrong
        expression behind the star, decode_line crashes later (seen with GDB 13)."""
        if location.startswith("*"):
            return [number(location[1:], "The address")]
        sals = gdb.decode_line(location)[1] or ()
        addresses = sorted({sal.pc for sal in sals if sal.pc})
        if not addresses:
            raise gdb.GdbError("There is no code at %s." % location)
        return [a for a in addresses if a < kernel.constant("ULIM")] or addresses


class Symbols(Command):
    """Load the symbols of the program that runs on the selected CPU.
This happens by itself at each stop, and when you select another thread."""

    NAME = "symbols"

    def run(self, words):
        env = kernel.current_env()
        if env and env.program:
            load(env.program)
        return ["Symbols of the kernel and of " + loaded_program() if loaded_program()
                else "Symbols of the kernel"]


class Program(gdb.Command):
    """program NAME: load the symbols of user program NAME, until another program runs at a stop.
`jos break NAME LOCATION` sets a breakpoint without this command."""

    def __init__(self):
        super().__init__("program", gdb.COMMAND_FILES, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        if not argument.strip():
            raise gdb.GdbError("Which program? Type: help program")
        load(argument.strip())


# ---- Conditions ----

class RunsProgram(gdb.Function):
    """$jos_program("NAME"): whether the selected CPU runs an environment of program NAME."""

    def __init__(self):
        super().__init__("jos_program")

    def invoke(self, name):
        env = kernel.current_env()
        return env is not None and env.program == name.string()


class RunsEnv(gdb.Function):
    """$jos_env(ID): whether the selected CPU runs environment ID."""

    def __init__(self):
        super().__init__("jos_env")

    def invoke(self, number):
        env = kernel.current_env()
        return env is not None and env.id == int(number)


def register():
    for command in (Break, Symbols, Program, RunsProgram, RunsEnv):
        command()
    # init.gdb has the hook for stops.
    gdb.execute("define hookpost-thread\npython jos_selected()\nend")
