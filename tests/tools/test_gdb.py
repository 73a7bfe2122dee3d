"""GDB on the machine: CPUs are threads, breakpoints work everywhere."""

import os
import re
import sys

from tests.support import TREE, KernelTest, run_gdb
from tools.build.elffile import read_elf
from tools.run.buildtree import MAKE_SECONDS
from tools.run.child import Child
from tools.run.tool import make_folder, remove_folder


class GdbTest(KernelTest):
    def test_every_cpu_is_a_thread(self):
        machine = self.boot("yield", cpus=4, gdb=True)
        text = run_gdb(machine, "hbreak env_run", "continue", "info threads", "detach")
        self.assertEqual(len(set(re.findall(r"Thread 1\.\d", text))), 4, text)
        for cpu in range(4):
            self.assertRegex(text, r"\(CPU#%d \[" % cpu)

    def test_breakpoints_from_the_boot_sector_to_a_program(self):
        machine = self.boot("hello", gdb=True)
        umain = self.user_symbol("hello", "umain")
        text = run_gdb(machine, "hbreak *0x7c00", "continue", "x/i $pc", "delete",
                       "hbreak i386_init", "continue", "backtrace 1", "delete",
                       "hbreak *%s" % umain, "continue", "p/x $pc", "p/x $cs & 3",
                       "delete", "detach")
        self.assertIn("0x7c00:", text)
        self.assertRegex(text, r"#0 +i386_init \(.*\) at kern/init\.c:\d+")
        self.assertIn("= %s\n" % umain, text)
        self.assertRegex(text, r"\$2 = 0x3\n")
        self.assert_lines(machine.run_to_prompt(), ["hello, world"])

    def test_a20_by_port_92_does_not_reset_the_cpu(self):
        # On some chipsets the bit that resets the CPU reads as 1. Writing 1 would reset the CPU.
        sector = TREE.read_obj("boot", "boot")
        self.assertEqual((sector.count(b"\xe4\x92"), sector.count(b"\xe6\x92")), (1, 1))
        after_in = 0x7c00 + sector.index(b"\xe4\x92") + 2
        before_out = 0x7c00 + sector.index(b"\xe6\x92")
        machine = self.boot("hello", gdb=True)
        text = run_gdb(machine, "hbreak *%#x" % after_in, "continue", "set $eax = 0xa5", "delete",
                       "hbreak *%#x" % before_out, "continue", "p/x $eax & 0xff", "delete",
                       "detach")
        self.assertIn("$1 = 0xa6\n", text)
        self.assert_lines(machine.run_to_prompt(), ["hello, world"])

    def user_symbol(self, program, name):
        return hex(read_elf(TREE.obj("user", program)).symbol(name).value)

    def test_each_ap_runs_mp_main(self):
        machine = self.boot("yield", cpus=4, gdb=True)
        commands = []
        for cpu in (1, 2, 3):
            commands += ["hbreak mp_main if cpu == %d" % cpu, "continue", "p $_thread", "delete"]
        text = run_gdb(machine, *commands, "detach")
        self.assertEqual(re.findall(r"\$\d = (\d)", text), ["2", "3", "4"], text)
        self.assert_lines(machine.run_to_prompt(), [r"All done in environment 00001000\."])


class TemporaryFolderTest(KernelTest):
    def test_tmpdir_may_have_any_characters_and_length(self):
        # TMPDIR contains the machines' disks and GDB's socket.
        folder = make_folder("jos-")
        self.addCleanup(remove_folder, folder)
        folder = os.path.join(folder, "a, b'\"\u00e9=" + "x" * 150)
        os.mkdir(folder)
        with Child([sys.executable, TREE.path("tools/check/check.py"), "gdb.every_cpu",
                    "boot.missing_ide_controller"], env=dict(os.environ, TMPDIR=folder),
                   limit=MAKE_SECONDS, merge=True, tool=True) as check:
            self.assertEqual(check.wait_for_end(), 0, check.output)
        self.assertTrue(check.output.endswith("\n3 passed, 0 failed\n"), check.output)
        self.assertEqual(os.listdir(folder), [])
