"""Run a program in QEMU and stop the machine at a place in the kernel or in the program.

A place is what `make memmap-NAME AT=...` takes:

    exit            when an environment ends: the same as env_destroy
    FUNCTION        a function of the kernel, or if the kernel has no such function, of the program
    FILE:LINE       kern/env.c:220, or fork.c:120; or the next line that has code
    0xADDRESS       an instruction
    kernel:PLACE, user:PLACE    the same, only in the kernel or in the program
    PLACE,N         the Nth time that any CPU gets there

The machine also stops in the kernel's monitor, so that the wait ends. Stops are hardware
breakpoints of QEMU, which do not change memory.
"""

import contextlib
import os
import re
import select
from bisect import bisect_right

from tools.build.dwarfline import DwarfError, LineTables
from tools.build.elffile import SHF_EXECINSTR, ElfError, read_elf
from tools.run.child import ChildError
from tools.run.gdbport import Stub
from tools.run.patience import Patience
from tools.run.tool import ToolError

EXIT = "env_destroy"
MONITOR = "monitor"


class PlaceError(ToolError):
    """There is no such place. The text says why."""


class Code:
    """The functions and lines of an ELF file."""

    def __init__(self, path, name):
        self.name = name
        try:
            self.elf = read_elf(path)
        except (OSError, ElfError) as e:
            raise PlaceError("%s: %s" % (path, e)) from None
        self.functions = {s.name: s.value for s in self.elf.symbols()
                          if s.section and s.section.flags & SHF_EXECINSTR}
        self._sorted = sorted((value, name) for name, value in self.functions.items())
        self._sequences = None

    def _lines(self):
        if self._sequences is None:
            try:
                self._sequences = LineTables(self.elf).sequences()
            except DwarfError as e:
                raise PlaceError("%s: %s" % (self.name, e)) from None
        return self._sequences

    def line_addresses(self, file, line):
        """The addresses where the code of a line begins, or of the next line that has code."""
        found = {}
        for sequence in self._lines():
            before = None
            for address, name, number in sequence.rows:
                if name and (name == file or name.endswith("/" + file)) and number >= line \
                        and before != (name, number):
                    found.setdefault(number, []).append(address)
                before = name, number
        return sorted(set(found[min(found)])) if found else []

    def has(self, address):
        return any(s.addr <= address < s.addr + s.size for s in self.elf.code_sections())

    def describe(self, address):
        """FUNCTION+OFFSET (FILE:LINE) of an address."""
        i = bisect_right(self._sorted, (address, "\xff")) - 1
        text = "%#x" % address
        if i >= 0:
            start, name = self._sorted[i]
            text = name + ("+%d" % (address - start) if address != start else "")
        for sequence in self._lines():
            if sequence.rows[0][0] <= address < sequence.end:
                rows = [row for row in sequence.rows if row[0] <= address]
                return text + " (%s:%d)" % (os.path.normpath(rows[-1][1] or "?"), rows[-1][2])
        return text


def split_place(text):
    """(place, N) of PLACE or PLACE,N."""
    place, comma, count = text.partition(",")
    if not place or comma and not re.fullmatch(r"[1-9]\d{0,8}", count):
        raise PlaceError("AT=%s: expected a place, or a place, a comma, and a number from 1"
                         % text)
    return place, int(count or 1)


def find_place(place, kernel, user):
    """The addresses of a place: see the top of this file. kernel and user are Code."""
    if place == "exit":
        place = "kernel:" + EXIT
    prefix, _, rest = place.partition(":")
    codes = {"kernel": [kernel], "user": [user]}.get(prefix)
    if codes is None:
        codes, rest = [kernel, user], place
    file, _, line = rest.rpartition(":")
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}", rest):
        found = [int(rest, 16)] if any(code.has(int(rest, 16)) for code in codes) else []
        wanted = "code there"
    elif file and line.isdigit():
        found = next(filter(None, (code.line_addresses(file, int(line)) for code in codes)), [])
        wanted = "code at this line or below it"
    else:
        found = next(([code.functions[rest]] for code in codes if rest in code.functions), [])
        wanted = "such function (a function that is used only in its own file may be inlined: " \
            "then give a line of it)"
    if not found:
        raise PlaceError("AT=%s: %s no %s" % (place, " and ".join(code.name for code in codes)
                                              + (" has" if len(codes) == 1 else " have"), wanted))
    return found


class Debugger(Stub):
    """A connection to QEMU's GDB stub that runs the machine up to breakpoints."""

    def __init__(self, machine):
        self._machine = machine
        self._breakpoints = set()
        self._stopped = None  # The CPU that stopped last
        machine.qmp("query-status")  # QEMU answers only after it has made GDB's socket.
        before = os.getcwd()
        os.chdir(machine.dir)  # The path of a socket may have only 107 bytes.
        try:
            super().__init__("./" + machine.GDB_SOCKET)
        finally:
            os.chdir(before)
        # Only for a QEMU that hangs: it answers late if the computer is busy.
        self._socket.settimeout(machine.limit * Patience.MAX_FACTOR)

    def stop_at(self, address):
        """Set a breakpoint."""
        self._change("Z", address)
        self._breakpoints.add(address)

    def _change(self, letter, address):
        if self.request("%s1,%x,1" % (letter, address)) != b"OK":
            raise ChildError("QEMU cannot stop at %#x" % address)

    def run(self):
        """Run the machine until a CPU stops at a breakpoint. Returns the number of the CPU."""
        if self._stopped is not None:
            # At its breakpoint, QEMU would stop this CPU again at once. So the CPU first executes
            # one instruction, alone and without the breakpoints.
            for address in self._breakpoints:
                self._change("z", address)
            self._resume("vCont;s:%x" % (self._stopped + 1))
            for address in self._breakpoints:
                self._change("Z", address)
        self._stopped = self._resume("c")
        return self._stopped

    def _resume(self, command):
        """Let CPUs run until one of them stops. Returns its number."""
        self._send(command)
        patience = self._machine.patience()
        while not select.select([self._socket], [], [], max(patience.left(), 0))[0]:
            if patience.left() <= 0:
                raise ChildError("the machine did not stop within %g s\n%s" % (
                    self._machine.limit, self._machine.describe_output()))
        packet = self._packet()
        thread = re.match(rb"T05.*?thread:(?:p[0-9a-f]+\.)?([0-9a-f]+)", packet)
        if not thread:
            raise ChildError("QEMU stopped: %s\n%s" % (
                packet.decode(errors="replace"), self._machine.describe_output()))
        return int(thread[1], 16) - 1


def instruction_pointers(machine):
    """The instruction pointer of each CPU of a machine that is stopped."""
    return [int(value, 16) for value in
            re.findall(r"\b[ER]IP=([0-9a-f]+)", machine.monitor("info registers -a"))]


class Stop:
    """Where a machine has stopped. cpu: its number; address: its instruction pointer; addresses:
    the instruction pointers of all CPUs; in_monitor: AT was not reached."""

    def __init__(self, cpu, addresses, in_monitor):
        self.cpu, self.addresses, self.in_monitor = cpu, addresses, in_monitor
        self.address = addresses[cpu]


@contextlib.contextmanager
def stopped(machine, places, count, kernel):
    """A context in which the machine, which waits for GDB, has run to one of `places` for the
    `count`th time, or to the monitor. Gives (Debugger, Stop)."""
    monitor = kernel.functions[MONITOR]
    try:
        with Debugger(machine) as debugger:
            for address in {*places, monitor}:
                debugger.stop_at(address)
            while True:
                cpu = debugger.run()
                addresses = instruction_pointers(machine)
                in_monitor = addresses[cpu] == monitor
                count -= addresses[cpu] in places
                if count == 0 or in_monitor:
                    break
            yield debugger, Stop(cpu, addresses, in_monitor and count > 0)
    except OSError as e:
        raise ChildError("the connection to QEMU failed: %s\n%s"
                         % (e, machine.describe_output())) from None
