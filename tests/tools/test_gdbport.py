"""make gdb, and the port that connects GDB and QEMU."""

import re
import shutil
import unittest

from tests.support import TREE
from tests.tools.maketest import MakeTest
from tools.run.machine import PROMPT

LEAVE_QEMU = "\001x"  # Ctrl-a x


class GdbPortTest(MakeTest):
    def port(self, tree=None):
        return (tree or self.tree).make("-s", "print-gdbport").strip()

    def is_free(self, *args):
        return "-gdb" in self.plan("qemu-nox", *args)

    def gdbinit(self):
        with open(self.tree.path(".gdbinit"), encoding="utf-8") as f:
            return f.read()

    def gdb(self, tree, *commands, args=()):
        """Run make gdb with commands at GDB's prompt. Returns the status and the output."""
        child = self.child("-s", "gdb", *args, tree=tree)
        with child:
            for command in commands:
                child.send(command + "\n")
            child.send("quit\n")
            return child.wait_for_end(), child.output + child.errors

    def test_gdbinit_follows_the_settings(self):
        for args, lines in (([], ["localhost:" + self.port(), "file obj/kern/kernel"]),
                            (["GDBPORT=4321"], ["localhost:4321", "file obj/kern/kernel"]),
                            (["SAN=1"], ["localhost:" + self.port(), "file obj/san/kern/kernel"]),
                            (["OBJDIR=o/2"], ["file o/2/kern/kernel"]),
                            ([], ["localhost:" + self.port(), "file obj/kern/kernel"])):
            self.tree.make(".gdbinit", *args)
            for line in lines:
                self.assertRegex(self.gdbinit(), r"(?m)^.*%s( .*)?$" % re.escape(line))

    def test_each_checkout_has_its_own_port(self):
        other = TREE.copy()
        self.addCleanup(other.remove)
        self.assertNotEqual(self.port(), self.port(other))
        self.assertEqual(self.port(), self.port())
        self.assertTrue(1024 < int(self.port()) < 32768)

    def test_port_is_open_without_waiting(self):
        machine = self.child("-s", "qemu-nox")
        machine.wait_for(PROMPT)
        self.assertNotIn("-gdb", self.plan("qemu-nox"))
        self.assertRegex(self.failure("-s", "qemu-nox-gdb"), "port.* in use.*GDBPORT=n")

        status, text = self.gdb(self.tree, "info threads", "detach")
        self.assertEqual(status, 0, text)
        self.assertRegex(text, r"CPU#0")
        machine.send("run hello\n")  # The machine runs on.
        machine.wait_for("hello, world")
        machine.send(LEAVE_QEMU)
        machine.wait_for_end()
        self.assertIn("-gdb tcp:127.0.0.1:%s" % self.port(), self.plan("qemu-nox"))

    def test_make_works_while_a_machine_runs(self):
        machine = self.child("-s", "run-hello-nox")
        machine.wait_for(PROMPT)
        self.tree.make("run-hello", "-n")
        done = self.child("obj/kern/init.o")
        self.assertEqual(done.wait_for_end(), 0)
        self.assertNotIn("waiting", done.errors)

    def test_invalid_port_is_refused(self):
        self.assertRegex(self.failure("-s", "qemu-nox-gdb", "GDBPORT=door"), "GDBPORT=door")

    def test_machine_of_another_tree_is_left_alone(self):
        other = TREE.copy_built()
        self.addCleanup(other.remove)
        port = "GDBPORT=" + self.port()
        machine = self.child("-s", "qemu-nox", port, tree=other)
        machine.wait_for(PROMPT)
        status, text = self.gdb(self.tree, args=[port])
        self.assertNotEqual(status, 0)
        self.assertRegex(text, "Not attached: the machine on this port belongs to " + other.root)
        machine.send("run hello\n")
        machine.wait_for("hello, world")
        machine.stop()

        # A machine that waits for GDB, of another tree, is not started.
        machine = self.child("-s", "qemu-nox-gdb", port, tree=other)
        self.wait_until(machine, lambda: not self.is_free(port))
        status, text = self.gdb(self.tree, args=[port])
        self.assertIn("Not attached", text)
        status, text = self.gdb(other, "hbreak i386_init", "continue", "kill", args=[port])
        self.assertIn("i386_init (", text)

    def test_missing_machine_is_reported(self):
        _, text = self.gdb(self.tree)
        self.assertIn("No machine waits for GDB at localhost:%s" % self.port(), text)

    @unittest.skipUnless(shutil.which("qemu-system-x86_64"), "no qemu-system-x86_64")
    def test_gdb_debugs_a_64_bit_qemu(self):
        machine = self.child("-s", "run-hello-nox-gdb", "CPUS=2", "QEMU=qemu-system-x86_64")
        self.wait_until(machine, lambda: not self.is_free())
        status, text = self.gdb(
            self.tree, "hbreak page_init", "continue", "backtrace", "print $eip", "print/x $cs",
            "print ncpu", "x/2i $pc", "info threads", "delete", "program hello", "hbreak umain",
            "continue", "finish", "print/x $cs & 3", "delete", "detach",
            args=["QEMU=qemu-system-x86_64"])
        self.assertEqual(status, 0, text)
        self.assertNotIn("packet reply", text)
        self.assertRegex(text, r"(?s)#0 .*page_init \(\).*mem_init \(.*i386_init \(")
        self.assertRegex(text, r"= \(void \(\*\)\(\)\) 0xf0[0-9a-f]{6} <page_init|<page_init")
        self.assertRegex(text, r"(?m)= 0x8$")
        self.assertRegex(text, r"(?s)umain \(.*user/hello\.c:\d+")
        self.assertRegex(text, r"(?m)= 0x3$")
        self.assertIn("CPU#1", text)
        machine.wait_for("hello, world")
