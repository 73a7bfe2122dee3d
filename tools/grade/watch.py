"""Wait until a program of the grade ends. If it hangs, say what the machine is doing.

A machine that hangs is cut off when it has printed nothing for a while (`quiet` seconds, without
the time in which it had no CPU), or when all its CPUs have halted and no environment has run in the
meantime. Then the machine is read from outside: the registers of its CPUs, and envs[].
"""

import re
from bisect import bisect_right

from tools.build.elffile import STT_FUNC, ElfError, read_elf
from tools.run.child import ChildError
from tools.run.machine import PROMPT
from tools.see.layout import LayoutError, read_layout

MAX_OUTPUT = 4 << 20  # Characters. The longest right output has about 100,000.
ASLEEP_SAMPLES = 4    # This often, all CPUs were halted and envs[] did not change.
STEP_SECONDS = 0.5
STATE_SECONDS = 5     # For QEMU to answer
MAX_ENVS = 8          # Environments that a message shows

FLOOD = r"\A(?s:.{%d})" % MAX_OUTPUT
REGISTERS = re.compile(r"\b(EIP|ESP|EFL|CPL|HLT|CR0|CR3|CR4)=\s*([0-9a-f]+)")
TABLES = re.compile(r"\b(TR|GDT|IDT)\s*=\s*([0-9a-f ]+)")


class Hang(ChildError):
    """The machine hangs, or floods its output."""


class Kernel:
    """What the kernel's ELF file says: functions by address, and the layout of its data."""

    def __init__(self, path):
        self.path = path
        self._functions = None
        self._layout = None

    def function_at(self, address):
        """The name of the function that contains an address; None if there is none."""
        if self._functions is None:
            try:
                symbols = read_elf(self.path).symbols()
            except (ElfError, OSError):
                symbols = []
            self._functions = sorted((s.value, s.name) for s in symbols if s.type == STT_FUNC)
        at = bisect_right(self._functions, (address, "\x7f"))
        return self._functions[at - 1][1] if at else None

    def layout(self):
        """The layout as layout.py describes it; None if the ELF file has none."""
        if self._layout is None:
            try:
                self._layout = read_layout(self.path)
            except (LayoutError, OSError):
                self._layout = {}
        return self._layout or None


def cpu_registers(machine):
    """The registers of each CPU, as numbers: [{"EIP": ..., "TR": [selector, base, ...]}]."""
    found = []
    for text in machine.monitor("info registers -a").split("CPU#")[1:]:
        cpu = {name: int(value, 16) for name, value in REGISTERS.findall(text)}
        cpu.update((name, [int(word, 16) for word in words.split()])
                   for name, words in TABLES.findall(text))
        found.append(cpu)
    return found


# ---- What a machine is doing ----

class State:
    """What a machine was doing when it was cut off."""

    def __init__(self, machine, kernel):
        self.cpus = cpu_registers(machine)
        self.envs = read_envs(machine, kernel)
        self._kernel = kernel

    def all_halted(self):
        return all(cpu.get("HLT") for cpu in self.cpus)

    def functions(self):
        """The kernel's functions in which CPUs are."""
        return {self._kernel.function_at(cpu["EIP"]) for cpu in self.cpus
                if not cpu.get("HLT") and cpu.get("CPL") == 0}

    def lines(self):
        for number, cpu in enumerate(self.cpus):
            if cpu.get("HLT"):
                yield "CPU %d: halted" % number
            elif cpu.get("CPL") == 3:
                yield "CPU %d: runs a program, ip %08x" % (number, cpu["EIP"])
            else:
                yield "CPU %d: in the kernel, in %s" % (
                    number, self._kernel.function_at(cpu["EIP"]) or "%08x" % cpu["EIP"])
        for env in self.envs[:MAX_ENVS]:
            yield "environment %08x: %s%s, has had %d turns" % (
                env["id"], env["status"], " (waits for a message)" if env["receives"] else "",
                env["runs"])
        if len(self.envs) > MAX_ENVS:
            yield "and %d more environments" % (len(self.envs) - MAX_ENVS)


def read_envs(machine, kernel):
    """The environments in use: [{"id", "status", "runs", "receives"}]. Empty if they cannot be
    read."""
    layout = kernel.layout()
    if not layout:
        return []
    base, member = layout["constants"]["KERNBASE"], layout["structs"]["Env"]["members"]
    size = layout["structs"]["Env"]["size"]
    names = {value: name[4:] for name, value in layout["enums"].items() if name[:4] == "ENV_"}
    envs = int.from_bytes(
        machine.physical_memory(layout["symbols"]["envs"]["address"] - base, 4), "little")
    if envs < base:
        return []
    data = machine.physical_memory(envs - base, layout["constants"]["NENV"] * size)
    found = []
    for at in range(0, len(data), size):
        def number(name):
            start = at + member[name]["offset"]
            return int.from_bytes(data[start:start + member[name]["size"]], "little")
        if number("env_status"):
            found.append({"id": number("env_id"), "runs": number("env_runs"),
                          "status": names.get(number("env_status"), "with a bad status"),
                          "receives": bool(number("env_ipc_recving"))})
    return found


# ---- Waiting ----

class Watch:
    """Waits for the output of a machine. `quiet`: the longest silence, in seconds; `limit`: the
    longest whole wait."""

    def __init__(self, machine, kernel, quiet, limit):
        self._machine = machine
        self._kernel = kernel
        self._quiet = quiet
        self._limit = limit
        self._readable = True
        self.state = None  # The State of a machine that was cut off

    def wait_for(self, pattern):
        """Wait until the pattern matches in the output; return the match. Raise ChildError if the
        machine ends, hangs or prints without end."""
        machine, silent, asleep, before = self._machine, 0, 0, None
        whole = machine.patience()
        while True:
            length = len(machine.output)
            found = self._wait_a_little(pattern)
            if found and re.match(FLOOD, found.group()):
                raise Hang("cut off: the output has more than %d characters\n%s" % (
                    MAX_OUTPUT, machine.describe_output()))
            if found:
                return found
            silent = silent + STEP_SECONDS if len(machine.output) == length else 0
            if silent == 0:
                asleep = 0
            else:
                before, sleeps = self._look(before)
                asleep = asleep + 1 if sleeps else 0
            if asleep >= ASLEEP_SAMPLES or silent >= self._quiet or whole.left() <= 0:
                self._cut_off(silent, asleep)

    def _wait_a_little(self, pattern):
        machine = self._machine
        machine.limit = STEP_SECONDS
        try:
            return machine.wait_for("(?:%s)|%s" % (pattern, FLOOD))
        except ChildError:
            if machine.has_ended():
                raise
            return None
        finally:
            machine.limit = self._limit

    def _read_state(self):
        """The machine's State; None if it cannot be read: then it is not read again."""
        if not self._readable:
            return None
        self._machine.limit = STATE_SECONDS
        try:
            return State(self._machine, self._kernel)
        except ChildError:
            self._readable = False
            return None
        finally:
            self._machine.limit = self._limit

    def _look(self, before):
        """(state, whether all CPUs are halted and no environment has run since `before`)."""
        state = self._read_state()
        return state, bool(before and state and state.all_halted() and before.all_halted()
                           and state.envs == before.envs)

    def _cut_off(self, silent, asleep):
        self.state = self._read_state()
        if asleep >= ASLEEP_SAMPLES:
            what = "cut off: all CPUs have halted, and the program has not ended"
        elif silent:
            what = "cut off: no output for %g s, and the program has not ended" % silent
        else:
            what = "cut off after %g s: the program has not ended" % self._limit
        lines = self.state.lines() if self.state else ["QEMU does not say what it does"]
        raise Hang("\n".join([what, *("  " + line for line in lines),
                              self._machine.describe_output()]))

    def run_to_prompt(self):
        """Wait for the prompt of the kernel's monitor; return all output so far."""
        self.wait_for(PROMPT)
        return self._machine.output
