"""What the tests that run the kernel have in common.

A test starts machines with boot() or run(), which stop by themselves when the test ends, however
it ends. It says nothing about how long something may take: a machine that hangs is cut off by its
time limit, which is there for that alone.
"""

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

# The machine's clock counts instructions, not time: on one CPU, every run is the same one, and
# the timer interrupts nobody who has not run for millions of them.
NO_HURRY = ["-icount", "shift=0,sleep=off"]

# The q35 machine has no IDE controller of the old kind: give it one.
Q35_WITH_IDE = {"args": ["-machine", "q35", "-device", "piix3-ide,id=ide"], "bus": "ide.0"}


def user_programs(pattern):
    """The names of the user programs whose source matches a pattern."""
    return sorted(TREE.programs(pattern))


def connect_gdb(machine, folder):
    """GDB's commands to connect to a machine, when it runs in that folder. The name of a socket is
    limited to 107 bytes, so it has no folder in it."""
    return ["cd " + machine.dir, "target remote " + machine.GDB_SOCKET, "cd " + folder]


def run_gdb(machine, *commands, init=None):
    """Run GDB's commands against a machine that waits for it, after those of a file if there is
    one; return what it prints."""
    machine.qmp("query-status")  # When it answers, its socket for GDB is there.
    folder = os.path.dirname(init) if init else TREE.root
    start = ["-x", init] if init else [TREE.obj("kern", "kernel")]
    if not init:
        commands = [*connect_gdb(machine, folder), *commands]
    words = [word for command in commands for word in ("-ex", command)]
    with Child(["gdb", "-n", "-q", "-batch", *start, *words], limit=machine.limit, cwd=folder,
               waits_for=machine) as child:
        status = child.wait_for_end()
        if status:
            raise AssertionError("gdb failed:\n%s%s" % (child.output, child.errors))
        return child.output


class KernelTest(unittest.TestCase):
    """A test that runs the built kernel. How each machine ended is looked at by check_end(), unless
    the test says that the kernel may panic, with self.may_panic = True. All CPUs must have been
    started, too, unless self.cpu_may_be_silent."""

    needs_build = True
    may_panic = False
    cpu_may_be_silent = False

    def setUp(self):
        self.cpus_used = set()
        self.transcripts = []

    def start(self, **options):
        """Start a Machine with these options."""
        return self._started(Machine(TREE.qemu(), **{"limit": LIMIT_SECONDS, **options}))

    def start_bochs(self, **options):
        """Start a Bochs with these options."""
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
        """A size in MiB that leaves programs between one and two MiB."""
        end = read_elf(self.kernel()).symbol("end").value - KERNBASE
        return (end >> 20) + 2

    def boot(self, cmdline, **options):
        """Start a Machine from the disk image, with this command line in it."""
        return self.start(disk=TREE.disk_image(cmdline), **options)

    def gives_virtual_8086_mode(self):
        """Whether this QEMU lets a program into virtual-8086 mode: CPUs refuse it, and QEMU 10."""
        return "vm86: refused" not in self.run_kernel("vm86", args=["-cpu", "qemu32"])

    def run_kernel(self, cmdline, **options):
        """Boot, wait for the monitor's prompt, stop. Return the output, with plain newlines."""
        machine = self.boot(cmdline, **options)
        output = machine.run_to_prompt()
        machine.stop()
        return output.replace("\r", "")

    def assert_lines(self, output, lines, no=()):
        """Each of `lines` must match a whole line of the output, none of `no` may."""
        complaints = match(output, lines, no)
        if complaints:
            self.fail("\n".join(complaints) + "\nlast lines of output:\n" + last_lines(output, 40))

    def assert_in_order(self, output, lines):
        """Each of `lines` must match a whole line that comes after the one before it did."""
        printed = iter(output.replace("\r", "").split("\n"))
        for regex in lines:
            if not any(re.fullmatch(regex, line) for line in printed):
                self.fail("missing, or not in its place: %s\nlast lines of output:\n%s"
                          % (regex, last_lines(output, 40)))
