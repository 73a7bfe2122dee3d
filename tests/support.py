"""Common code of the tests that run the kernel.

A test starts machines with boot(), start() or run_kernel(). They are stopped when the test ends,
even if it fails. No test measures time: a time limit only ends a machine that hangs.
"""

import contextlib
import os
import re
import unittest

from tools.build.elffile import read_elf
from tools.grade.gradelib import check_end, match
from tools.run.bochs import Bochs
from tools.run.buildtree import Tree
from tools.run.child import Child, last_lines
from tools.run.machine import Machine

TREE = Tree()
LIMIT_SECONDS = 90
KERNBASE = 0xF0000000

# The machine's clock counts instructions, so with one CPU all runs are the same, and a timer
# interrupt comes only after millions of instructions.
ICOUNT = ["-icount", "shift=0,sleep=off"]

# The q35 machine has no legacy IDE controller: add one.
Q35_WITH_IDE = {"args": ["-machine", "q35", "-device", "piix3-ide,id=ide"], "bus": "ide.0"}


def user_programs(pattern):
    """The names of the user programs whose source matches a pattern."""
    return sorted(TREE.programs(pattern))


def connect_gdb(machine, folder):
    """Commands that connect a GDB running in `folder` to the machine. GDB changes to the machine's
    folder first, because the path of a socket may have only 107 bytes."""
    return ["cd " + machine.dir, "target remote " + machine.GDB_SOCKET, "cd " + folder]


def run_gdb(machine, *commands, init=None, options=()):
    """Run GDB with these commands on a machine that waits for GDB; return GDB's output, including
    messages of commands that fail. `init` is a file of commands to run first."""
    machine.qmp("query-status")  # QEMU answers only after it has made GDB's socket.
    folder = os.path.dirname(init) if init else TREE.root
    start = ["-x", init] if init else [TREE.obj("kern", "kernel")]
    if not init:
        commands = [*connect_gdb(machine, folder), *commands]
    words = [word for command in commands for word in ("-ex", command)]
    with Child(["gdb", "-n", "-q", "-batch", *options, *start, *words], limit=machine.limit,
               cwd=folder, waits_for=machine, merge=True) as child:
        status = child.wait_for_end()
        if status:
            raise AssertionError("gdb failed:\n%s%s" % (child.output, child.errors))
        return child.output


class KernelTest(unittest.TestCase):
    """A test that runs the built kernel. At the end of the test, check_end() checks each machine's
    output, unless may_panic is set. All CPUs must have started, unless cpu_may_be_silent is set."""

    needs_build = True
    may_panic = False
    cpu_may_be_silent = False

    def setUp(self):
        self.cpus_used = set()
        self.transcripts = []

    def start(self, **options):
        """Start a QEMU with these options of Machine."""
        return self._started(Machine(TREE.qemu(), **{"limit": LIMIT_SECONDS, **options}))

    def start_bochs(self, **options):
        """Start a Bochs with these options of Bochs."""
        return self._started(Bochs(**{"limit": LIMIT_SECONDS, **options}))

    def _started(self, machine):
        self.cpus_used.add(machine.cpus)
        self.addCleanup(self._end, machine)
        return machine

    def _end(self, machine):
        machine.stop()
        self.transcripts.append("%d CPUs:\n%s" % (machine.cpus, machine.output))
        complaints = [] if self.may_panic else check_end(machine.output)
        if not self.cpu_may_be_silent:
            complaints += re.findall("SMP: .* does not answer", machine.output)
        if complaints:
            self.fail("\n".join(complaints) + "\nlast lines of output:\n"
                      + last_lines(machine.output, 40))

    def kernel(self):
        """The path of the kernel's ELF file."""
        return TREE.obj("kern", "kernel")

    def little_memory(self):
        """A memory size in MiB that leaves one to two MiB for programs."""
        end = read_elf(self.kernel()).symbol("end").value - KERNBASE
        return (end >> 20) + 2

    def boot(self, cmdline, **options):
        """Start a machine from the disk image with this command line."""
        return self.start(disk=TREE.disk_image(cmdline), **options)

    def gives_virtual_8086_mode(self):
        """Whether this QEMU lets programs enter virtual-8086 mode. Real CPUs and QEMU 10 do not."""
        return "vm86: refused" not in self.run_kernel("vm86", args=["-cpu", "qemu32"])

    def run_kernel(self, cmdline, **options):
        """Boot, wait for the monitor's prompt, stop. Return the output without carriage returns."""
        machine = self.boot(cmdline, **options)
        output = machine.run_to_prompt()
        machine.stop()
        return output.replace("\r", "")

    def end_environments(self, machine):
        """End all environments at the prompt, for a test that would stop while some exist:
        check_end() wants to see the audit afterwards."""
        machine.command("kill")
        machine.command("audit")

    def assert_lines(self, output, lines, no=()):
        """Each pattern in `lines` must match a whole line of the output; no pattern in `no` may."""
        complaints = match(output, lines, no)
        if complaints:
            self.fail("\n".join(complaints) + "\nlast lines of output:\n" + last_lines(output, 40))

    def assert_in_order(self, output, lines):
        """The patterns in `lines` must match whole lines of the output, in this order."""
        printed = iter(output.replace("\r", "").split("\n"))
        for regex in lines:
            if not any(re.fullmatch(regex, line) for line in printed):
                self.fail("missing, or out of order: %s\nlast lines of output:\n%s"
                          % (regex, last_lines(output, 40)))


class BrokenKernelTest(KernelTest):
    """A test that breaks the kernel on purpose, in a copy of the tree."""

    slow = True
    may_panic = True

    @classmethod
    def setUpClass(cls):
        cls.tree = TREE.copy_built()
        cls.addClassCleanup(cls.tree.remove)

    @contextlib.contextmanager
    def broken(self, file, text, instead):
        """A context in which the copy is built with a piece of its source text replaced."""
        path = self.tree.path(*file.split("/"))
        with open(path, encoding="utf-8") as f:
            whole = f.read()
        self.assertEqual(whole.count(text), 1, "in %s: %s" % (file, text))
        try:
            with open(path, "w", encoding="utf-8") as f:
                f.write(whole.replace(text, instead))
            self.tree.build()
            yield
        finally:
            with open(path, "w", encoding="utf-8") as f:
                f.write(whole)


def add_tests(test_case, names):
    """Add a method test_NAME, which calls check(NAME), for each name."""
    for name in names:
        def test(self, name=name):
            self.check(name)
        setattr(test_case, "test_" + name, test)
