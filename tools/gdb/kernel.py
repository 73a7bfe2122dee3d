"""The kernel as GDB sees it: its symbols and constants, the machine's memory, CPUs, environments.

Programs and the kernel have names in common (envs, sys_yield), so a name is looked up in the
kernel's own file. A constant is a macro in C, and GDB does not know it: it is read from the header.
"""

import contextlib
import os
import re

import gdb

from tools.build.elffile import read_elf

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADERS = ("inc/mmu.h", "inc/memlayout.h", "inc/trap.h", "inc/env.h", "kern/cpu.h")

# env_status, in the order of inc/env.h
FREE, DYING, RUNNABLE, RUNNING, NOT_RUNNABLE = range(5)
STATUS = ("free", "dying", "runnable", "running", "waiting")

CR0_PE = 1


# ---- Symbols and constants ----

def objfile():
    """GDB's object for the kernel's ELF file."""
    for candidate in gdb.objfiles():
        if candidate.filename and candidate.lookup_global_symbol("i386_init"):
            return candidate
    raise gdb.GdbError("GDB has no symbols of the kernel. Type: file obj/kern/kernel")


def build_folder():
    """The build folder: the kernel's file is kern/kernel in it."""
    return os.path.dirname(os.path.dirname(os.path.abspath(objfile().filename)))


def program_file(name):
    """The path of a program's ELF file, with debug information."""
    return os.path.join(build_folder(), "user", name)


def variable(name):
    """The value of a variable of the kernel."""
    symbol = objfile().lookup_global_symbol(name) or objfile().lookup_static_symbol(name)
    if symbol is None:
        raise gdb.GdbError("The kernel has no variable %s." % name)
    return symbol.value()


def is_program(name):
    """Whether there is a program of this name. (make writes NAME.asm and others beside it.)"""
    return (bool(re.fullmatch(r"[\w.+-]+", name)) and os.path.isfile(program_file(name))
            and not name.endswith((".asm", ".sym", ".o", ".d")))


_elf_files = {}  # {path: (time of last change, symbols)}


def elf(path):
    """The symbols of an ELF file, sorted by address. It is read again when it has changed."""
    changed = os.stat(path).st_mtime_ns
    if path not in _elf_files or _elf_files[path][0] != changed:
        _elf_files[path] = changed, sorted(
            (s for s in read_elf(path).symbols() if s.section is not None),
            key=lambda s: (s.value, s.size))
    return _elf_files[path][1]


def function_at(path, address):
    """The function of an ELF file that contains an address, as `name` or `name+offset`; or None."""
    for symbol in elf(path):
        if symbol.value <= address < symbol.value + symbol.size:
            offset = address - symbol.value
            return "%s+%#x" % (symbol.name, offset) if offset else symbol.name
    return None


def kernel_range(name):
    """The first address of a function of the kernel, and the address behind it. (0, 0) if this
    kernel has no such function."""
    for symbol in elf(objfile().filename):
        if symbol.name == name and symbol.size:
            return symbol.value, symbol.value + symbol.size
    return 0, 0


_macros = {}


def constant(name):
    """The value of a macro of the kernel's headers: a number, also made of other macros."""
    if not _macros:
        for header in HEADERS:
            with open(os.path.join(ROOT, header), encoding="utf-8") as f:
                _macros.update(re.findall(r"(?m)^#define (\w+) +([^/\n]+)", f.read()))
    text = re.sub(r"\(\w+ \*\)", "", _macros[name])
    text = re.sub(r"\b[A-Za-z_]\w*", lambda m: str(constant(m[0])), text)
    return eval(text, {"__builtins__": {}})  # Numbers and operators: the headers are ours.


def trap_texts():
    """{vector: the kernel's text for it}, from inc/trap.h."""
    with open(os.path.join(ROOT, "inc/trap.h"), encoding="utf-8") as f:
        return {int(n): text for n, text in re.findall(r'X\((\d+), \w+, "([^"]*)"\)', f.read())}


# ---- Memory ----

def read(address, size):
    """Bytes at a virtual address of the selected CPU."""
    return gdb.selected_inferior().read_memory(address, size).tobytes()


def words(address, count):
    """32-bit words at a virtual address."""
    return memoryview(read(address, 4 * count)).cast("I")


def physical(address):
    """The virtual address at which the kernel maps a physical address, or None."""
    return address + constant("KERNBASE") if address < constant("KERNMAX") else None


def unsigned(value):
    """A pointer, or a number that GDB may take for a negative one."""
    return int(value) & 0xFFFFFFFF


# ---- CPUs ----

def threads():
    """GDB's threads, one for each CPU of the machine, sorted by the CPU's number."""
    return sorted(gdb.selected_inferior().threads(), key=cpu_number)


def cpu_number(thread=None):
    """The number of a thread's CPU; without an argument, of the selected thread. QEMU numbers its
    CPUs as the kernel does."""
    thread = thread or gdb.selected_thread()
    if thread is None:
        raise gdb.GdbError("GDB is not connected to a machine: make qemu-nox-gdb, and make gdb")
    return thread.ptid[1] - 1


def register(name):
    """A register of the selected CPU, as it is now, whichever frame is selected."""
    return unsigned(gdb.newest_frame().read_register(name))


@contextlib.contextmanager
def selected(thread):
    """A context in which a thread is selected."""
    before, frame = gdb.selected_thread(), gdb.selected_frame()
    thread.switch()
    try:
        yield
    finally:
        before.switch()
        frame.select()


def in_real_mode():
    """Whether the selected CPU executes 16-bit code. After CR0.PE is set, it still does until a
    jump loads a selector."""
    return not register("cr0") & CR0_PE or register("cs") < constant("GD_KT")


def in_user_mode():
    return register("cs") & 3 == 3 and not in_real_mode()


def kernel_runs():
    """Whether the selected CPU runs with paging, so that the kernel's variables can be read."""
    return register("cr0") >> 31 == 1


def stack_top(cpu):
    """The top of a CPU's kernel stack: KSTACKTOP_CPU in kern/cpu.h."""
    return constant("KSTACKTOP") - cpu * (constant("KSTKSIZE") + constant("KSTKGAP"))


def cpu_frame(cpu):
    """The address of the trap frame at the top of a CPU's kernel stack: cpu_frame in kern/env.h."""
    return stack_top(cpu) - gdb.lookup_type("struct Trapframe").sizeof


def frame_at(address):
    """The struct Trapframe at an address."""
    return gdb.Value(address).cast(gdb.lookup_type("struct Trapframe").pointer()).dereference()


# ---- Environments ----

class Env:
    """An environment. `value` is the struct Env."""

    def __init__(self, pointer):
        self.address = unsigned(pointer)
        self.value = pointer.dereference()
        self.id = unsigned(self.value["env_id"])
        self.status = int(self.value["env_status"])
        self.cpu = int(self.value["env_cpunum"])
        self.oncpu = bool(self.value["env_oncpu"])
        self.pgdir = unsigned(self.value["env_pgdir"])

    @property
    def program(self):
        """The program's name, or "" if none is loaded yet."""
        program = self.value["env_program"]
        return program["name"].string() if program else ""

    def describe(self):
        return ("%08x (%s)" % (self.id, self.program)) if self.program else "%08x" % self.id

    def frame(self):
        """The struct Trapframe that holds the registers: env_frame in kern/env.c."""
        return frame_at(cpu_frame(self.cpu)) if self.oncpu else self.value["env_tf"]

    def doing(self):
        """What the environment does, in a word or two."""
        if self.status != NOT_RUNNABLE:
            return STATUS[self.status]
        if self.value["env_stopped"]:
            return "stopped"
        queue = unsigned(self.value["env_queue"])
        if queue == unsigned(variable("cons_readers").address):
            return "waits for a key"
        if queue:
            slot = (queue - unsigned(variable("envs"))) // self.value.type.sizeof
            return "sends to %08x" % unsigned(variable("envs")[slot]["env_id"])
        return "receives" if self.value["env_ipc_recving"] else STATUS[self.status]


def environments():
    """All environments that are not free, in the order of their slots."""
    envs = variable("envs")
    if not envs:
        return []
    kind = envs.type.target()
    member = next(f for f in kind.fields() if f.name == "env_status").bitpos // 32
    step, count = kind.sizeof // 4, constant("NENV")
    statuses = words(unsigned(envs), step * count)[member::step]
    return [Env(envs + slot) for slot, status in enumerate(statuses) if status != FREE]


def current_env(cpu=None):
    """The environment that a CPU runs, or None; without an argument, on the selected CPU."""
    number = cpu_number() if cpu is None else cpu
    if number >= constant("NCPU"):
        return None
    pointer = variable("cpus")[number]["cpu_env"]
    return Env(pointer) if pointer else None


def find_env(text):
    """The environment with an id, in hexadecimal with or without 0x. "" is the current one."""
    if not text:
        env = current_env()
        if env is None:
            raise gdb.GdbError("CPU %d runs no environment. Name one: jos envs lists them."
                               % cpu_number())
        return env
    try:
        number = int(text, 16)
    except ValueError:
        raise gdb.GdbError("'%s' is not the id of an environment: jos envs lists them."
                           % text) from None
    env = Env(variable("envs") + number % constant("NENV"))
    if env.status == FREE or env.id != number:
        raise gdb.GdbError("There is no environment %08x: jos envs lists them." % number)
    return env


# ---- Places in code ----

def place(pc, program):
    """The function at an address; for the kernel's code, also its file and line."""
    if pc < constant("ULIM"):
        path = program_file(program) if is_program(program) else None
        return (function_at(path, pc) if path else None) or "%#010x" % pc
    function = function_at(objfile().filename, pc) or "%#010x" % pc
    line = gdb.find_pc_line(pc)
    return "%s %s:%d" % (function, line.symtab.filename, line.line) if line.symtab else function
