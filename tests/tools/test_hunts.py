"""docs/lab4/hunts.md: with the mistakes of the hunts, the tools show what the page says."""

import re

from tests.host.pages import read
from tests.support import BrokenKernelTest, run_gdb
from tools.run.machine import Machine

PAGE = "docs/lab4/hunts.md"
GDB_INIT = ["set confirm off", "set pagination off", "set width 0", "source tools/gdb/init.gdb"]


def pattern(line):
    """A line of the page as a pattern: addresses and the numbers of lines may differ."""
    regex = re.sub(r"(?:0x)?[0-9a-f]{8}|0x[0-9a-f]+|(?<=:)\d+|(?<=\+)0x\w+", "\0", line)
    return re.sub(r"(?:\\ )+", r"\\s+", re.escape(regex)).replace("\0", r"[0-9a-fx]+")


class HuntsTest(BrokenKernelTest):
    cpu_may_be_silent = True

    def start_broken(self, cmdline, **options):
        """Start the broken kernel of the copy."""
        return self._started(Machine(self.tree.qemu(), disk=self.tree.disk_image(cmdline),
                                     limit=60, **options))

    def gdb(self, machine, *commands):
        """Run commands of GDB on the broken kernel."""
        with_symbols = ["file " + self.tree.obj("kern", "kernel"), *GDB_INIT, *commands]
        return run_gdb(machine, *with_symbols, "detach")

    def check(self, hunt, output, *lines):
        """These lines are in the hunt's section of the page, and in the output."""
        section = re.split(r"(?m)^## ", read(PAGE))[hunt]
        self.assertTrue(section.startswith("Hunt %d:" % hunt))
        for line in lines:
            self.assertIn(line, section)
            self.assertRegex(output.replace("\r", ""), pattern(line))

    def test_1_page_that_cannot_be_written(self):
        with self.broken("kern/pmap.c", "PTE_W | PTE_PCD | PTE_PWT", "PTE_PCD | PTE_PWT"):
            machine = self.start_broken("yield")
            machine.run_to_prompt()
            machine.command("showmappings ef800000 ef803fff")
            machine.command("showmappings f0000000 f0000fff")
            self.check(1, machine.output, "check_page_installed_pgdir",
                       "ef800000 - ef801fff  -> fedcb000 - fedccfff  P PWT PCD",
                       "f0000000 - f0000fff  -> 00000000 - 00000fff  P W G")

    def test_2_nothing_is_printed_any_more(self):
        search = ("slot = -1; for (int i = (cursor + 1) % NENV; i != (int)cursor;"
                  " i = (i + 1) % NENV) if (envs[i].env_status == ENV_RUNNABLE) {"
                  " slot = i; break; }")
        with self.broken("kern/sched.c", "slot = challenge_next((cursor + 1) % NENV);", search), \
                self.broken("kern/sched.c", "uint32_t cursor = NENV - 1;", "uint32_t cursor = -1;"):
            machine = self.start_broken("", cpus=2, args=[
                "-gdb", "unix:%s,server=on,wait=off" % Machine.GDB_SOCKET])
            machine.wait_for("SMP: CPU 1 starting")
            outputs = []

            def both_cpus_are_stuck():
                outputs.append(self.gdb(machine, "jos cpus", "jos lock", "jos envs"))
                return "halted until it is woken" in outputs[-1]

            machine.wait_until(both_cpus_are_stuck, "CPU 1 to halt while it waits for the lock")
            self.check(2, outputs[-1], "*  0    kernel, holds the lock      -    sched_yield",
                       "CPU 0 holds the big lock, at sched_yield",
                       "CPU 1 waits, halted until it is woken", "There are no environments.")

    def test_4_stack_without_a_guard(self):
        with self.broken("kern/trap.c", ".ts_esp0 = KSTACKTOP_CPU(cpu),",
                         ".ts_esp0 = (uintptr_t)percpu_kstacks[cpu] + KSTKSIZE,"):
            machine = self.start_broken("faultread", gdb=True)
            output = self.gdb(machine, "break page_fault_handler", "continue", "p/x $esp",
                              "p/x thiscpu->cpu_ts.ts_esp0", "p percpu_kstacks + 1")
            values = [int(value, 16) for value in re.findall(r"\$\d = .*?(0xf\w+)", output)]
            self.assertEqual(values[1], values[2], output)
            self.assertTrue(0 < values[1] - values[0] < 0x1000, output)
            machine.run_to_prompt()
            machine.command("showmappings effe0000 efffffff")
            self.check(4, machine.output, "effe8000 - effeffff  -> 00477000 - 0047efff  P W",
                       "effff000 - efffffff  -> 00476000 - 00476fff  P W A D")

    def test_5_lost_page(self):
        with self.broken("kern/syscall.c", "\tif (r < 0)\n\t\tpage_free(pp);\n", ""):
            machine = self.start_broken("dumbfork failalloc=3")
            machine.run_to_prompt()
            machine.command("audit")
            self.check(5, machine.output, "page_alloc: failure injected at 3",
                       "[00001000] user panic in dumbfork at user/dumbfork.c:15: sys_page_alloc:"
                       " out of memory",
                       "audit: page 0x00013000 is lost: neither in use nor free",
                       "audit: 1 errors")
