"""The commands of tools/gdb on running machines, with 1 and with 4 CPUs."""

import re

from tests.support import TREE, KernelTest, run_gdb

CPU_NUMBERS = (1, 4)
MARK = "=== command %d ==="
LAST_FRAMES = r" libmain \(.*\n#\d+ .* _start \(\) at lib/entry\.S:\d+$"
PROGRAM_FRAMES = r"(?s)umain \(.*\) at user/%s\.c:\d+\n#\d+ .*" + LAST_FRAMES
WARNING = r"(?m)^warning: location number not found .*\n"  # tools/gdb/symbols.py: stopped()


class GdbTest(KernelTest):
    def gdb(self, program, cpus, *commands, options=()):
        """Boot programs, run GDB with its init file and these commands. Returns the output of each
        command, in a list, and the whole output."""
        machine = self.boot(program, cpus=cpus, gdb=True)
        words = ["set confirm off", "set pagination off", "source tools/gdb/init.gdb"]
        for number, command in enumerate(commands):
            words += ["echo " + MARK % number + "\\n", command]
        text = run_gdb(machine, *words, "echo " + MARK % len(commands) + "\\n", "delete", "detach",
                       options=options)
        machine.stop()
        text = re.sub(WARNING, "", text)
        self.assertNotIn("Traceback", text)
        parts = re.split(MARK.replace("%d", r"\d+") + "\n", text)
        self.assertEqual(len(parts), len(commands) + 2, text)
        return [part.rstrip("\n") for part in parts[1:-1]], text

    def each(self, program, *commands):
        """The same with each number of CPUs. Yields (number, {command: its last output})."""
        for cpus in CPU_NUMBERS:
            outputs, _ = self.gdb(program, cpus, *commands)
            yield cpus, dict(zip(commands, outputs))

    def find(self, pattern, text):
        """What a pattern finds in a text: its groups."""
        found = re.search("(?m)" + pattern, text)
        self.assertTrue(found, "no %s in:\n%s" % (pattern, text))
        return found.groups()


class PageFaultTest(GdbTest):
    """In the kernel: a child of forktree has written to its array `path`, which it shares with its
    parent until then."""

    def test_at_a_page_fault(self):
        for cpus, out in self.each(
                "forktree yield", "break page_fault_handler", "continue", "p/x $cr2", "p $_thread",
                "p/x tf->tf_eip", "p tf", "jos envs", "jos cpus", "jos lock", "jos va $cr2",
                "jos pgdir", "jos page $cr3", "jos trapframe", "jos trapframe tf", "p *curenv",
                "p thiscpu->cpu_id", "p curenv == &envs[ENVX(curenv->env_id)]",
                "p PDX(0xef400000)", "bt", "up 4", "p path[0]",
                "python gdb.execute('jos trapframe %x' % int(gdb.parse_and_eval("
                "'curenv->env_id')))",
                "python gdb.execute('jos page ' + hex(~4095 & int(gdb.parse_and_eval("
                "'((unsigned *)0xef400000)[PGNUM($cr2)]'))))", "jos page 0x100000"):
            with self.subTest(cpus=cpus):
                va = int(self.find(r"= 0x(\w+)$", out["p/x $cr2"])[0], 16)
                cpu = int(self.find(r"= (\d)$", out["p $_thread"])[0]) - 1
                self.check_state(out, cpus, cpu)
                self.check_memory(out, va)
                self.check_trapframe(out)
                self.check_macros(out, cpu)
                self.check_backtrace(out)

    def check_state(self, out, cpus, cpu):
        text = out["jos envs"]
        rows = re.findall(r"(?m)^(0000\w+) +(forktree|yield) +(.+?) +(\d) +(\w{8}) +(\d+) +"
                          r"([a-z_]\w*)(?:\+0x\w+)?$", text)
        self.assertEqual(len(rows), len(text.splitlines()) - 1, text)
        running = [row[3] for row in rows if row[2] == "running"]
        self.assertIn(("forktree", str(cpu)), [(row[1], row[3]) for row in rows
                                               if row[2] == "running"], text)
        self.assertEqual(len(set(running)), len(running), "one environment on each CPU")

        rows = re.findall(r"(?m)^([* ])  (\d)    (\w.*)$", out["jos cpus"])
        self.assertEqual([int(row[1]) for row in rows], list(range(cpus)), out["jos cpus"])
        here, = [row for row in rows if row[0] == "*"]
        self.assertEqual(int(here[1]), cpu)
        self.assertRegex(here[2], r"^kernel, holds the lock +0000\w{4} \(forktree\) +"
                                  r"page_fault_handler kern/trap\.c:\d+$")
        self.assertRegex(out["jos lock"], r"^CPU %d holds the big lock for environment 0000\w{4} "
                                          r"\(forktree\), at page_fault_handler kern/trap\.c:\d+\n"
                                          r"(No CPU waits for it\.|CPU \d waits.*)" % cpu)

    def check_memory(self, out, va):
        text = out["jos va $cr2"]
        self.assertTrue(text.startswith("%08x = directory entry %d, table entry %d, offset %#x\n"
                                        % (va, va >> 22, va >> 12 & 1023, va & 4095)), text)
        env, = self.find(r"^Page directory of environment (\w+) \(forktree\), at \w+: entry", text)
        self.assertRegex(text, r"the page is at physical address .*: present, user, .*"
                               r"copy-on-write\n")
        pa = int(self.find(r"^Physical address (\w+), for the kernel also at f\w+; "
                           r"kernel r-  user r-$", text)[0], 16)
        count = int(self.find(r"pp_ref is (\d+)", text)[0])

        text = out["jos pgdir"]
        self.assertTrue(text.startswith("Page directory of environment %s (" % env), text)
        ranges = re.findall(r"(?m)^(\w{8})-(\w{8})  (.*)$", text)
        here, = [r for r in ranges if int(r[0], 16) <= va <= int(r[1], 16)]
        self.assertRegex(here[2], r"kernel r-  user r-  (%08x|various) +program, copy-on-write"
                         % (pa & ~4095))
        self.assertTrue(any("kernel rw  user rw" in r[2] and "stack" in r[2] for r in ranges))
        ends = [int(r[1], 16) for r in ranges]
        self.assertEqual((ends[-1], ends), (0xFFFFFFFF, sorted(ends)))
        self.assertLess(len(ranges), 30, text)
        self.assertIn("32 times: kernel stack, with guards", text)
        self.assertRegex(text, r"(?m)^f0100000-\w+ .* kernel r-  user --  00100000  physical mem")

        text = next(v for k, v in out.items() if "'jos page '" in k)
        owners = re.findall(r"mapped at %08x by (\w+) \(forktree\): kernel r-  user r-, "
                            "copy-on-write" % (va & ~4095), text)
        self.assertGreaterEqual(len(owners), 2, text)
        self.assertIn(env, owners)
        self.assertEqual(count, len(owners), text)
        self.assertIn("  the page directory of %s (forktree)\n" % env, out["jos page $cr3"] + "\n")
        self.assertIn("mapped at f0100000 by the kernel: kernel r-  user --",
                      out["jos page 0x100000"])

    def check_trapframe(self, out):
        eip = int(self.find(r"= 0x(\w+)$", out["p/x tf->tf_eip"])[0], 16)
        address, = self.find(r"= \(struct Trapframe \*\) 0x(\w+)$", out["p tf"])
        for text in [v for k, v in out.items() if "jos trapframe" in k]:
            self.assertTrue(text.startswith("Trap frame at %s: " % address), text)
            self.assertRegex(text, r"  eip %08x  cs 001b  eflags \w{8}  esp eeb\w{5}  ss 0023\n"
                             % eip)
            self.assertIn("trap 14, Page Fault  err 00000007", text)
        self.assertRegex(out["jos trapframe"], r"\n  at grow\+0x\w+$")

    def check_macros(self, out, cpu):
        self.assertRegex(out["p *curenv"], r"= \{env_tf = \{tf_regs = ")
        self.assertRegex(out["p thiscpu->cpu_id"], "= %d " % cpu)
        self.assertRegex(out["p curenv == &envs[ENVX(curenv->env_id)]"], "= 1$")
        self.assertRegex(out["p PDX(0xef400000)"], "= 957$")

    def check_backtrace(self, out):
        self.assertRegex(out["bt"], r"(?s)^#0  page_fault_handler \(.*\n#3 .*all_traps \(\) at "
                                    r"kern/trapentry\.S:\d+\n#4  grow \(.*\) at "
                                    r"user/forktree\.c:21\n")
        self.assertRegex(out["bt"], PROGRAM_FRAMES % "forktree")
        self.assertRegex(out["up 4"], r"\n21\t+path\[depth\] = branch;$")
        self.assertRegex(out["p path[0]"], r"= 0 '\\000'$")


class ProgramTest(GdbTest):
    def test_break_in_a_program_loads_its_symbols(self):
        # GDB sees the same addresses in all three programs.
        programs = ["yield", "forktree", "hello"]
        commands = ["jos break %s umain" % p for p in programs]
        for cpus in CPU_NUMBERS:
            with self.subTest(cpus=cpus):
                _, text = self.gdb(" ".join(programs), cpus, *commands, *["continue", "bt 1"] * 3,
                                   "jos symbols")
                stops = re.findall(r"(?m)^#0  umain \(.*\) at user/(\w+)\.c:\d+$", text)
                self.assertEqual(sorted(stops), sorted(programs), text)
                self.assertIn("Symbols of the kernel and of %s\n" % stops[-1], text)

    def test_break_in_one_environment(self):
        for cpus, out in self.each(
                "yield yield yield", "break sched_yield", "continue", "delete",
                "jos break 1002 user/yield.c:16 if i == 2", "jos break nosuch umain",
                "jos break 4242 umain", "tbreak sched_yield", "jos break 1001 umain",
                "jos break yield kern/syscall.c:sys_cputs", "info breakpoints", "delete 3-5",
                " continue", "p/x curenv->env_id", "p i", "bt", "jos cpus"):
            with self.subTest(cpus=cpus):
                self.assertRegex(out["jos break 1001 umain"],
                                 r"^Breakpoint 4 at 0x0080\w+, for environment 00001001 \(yield\): "
                                 r"umain$")
                self.assertRegex(out["jos break yield kern/syscall.c:sys_cputs"],
                                 r"^Breakpoint 5 at 0xf01\w+, for program yield: sys_cputs kern/")
                self.assertIn("is not the id of an environment", out["jos break nosuch umain"])
                self.assertIn("There is no environment 00004242", out["jos break 4242 umain"])
                self.assertRegex(out["p/x curenv->env_id"], "= 0x1002$")
                self.assertRegex(out["p i"], "= 2$")
                self.assertRegex(out["jos cpus"], r"(?m)^\*  \d    user mode +00001002 \(yield\) ")

    def test_break_stays_in_its_program(self):
        for cpus in CPU_NUMBERS:
            with self.subTest(cpus=cpus):
                _, text = self.gdb("yield hello", cpus, "program hello", "break umain",
                                   "jos break yield umain", "continue",
                                   "p curenv->env_program->name", "continue",
                                   "p curenv->env_program->name")
                self.assertIn("Breakpoint 1 (umain) is now breakpoint 2, in program hello only.",
                              text)
                stops = re.findall(r'\$\d = 0x\w+ "(\w+)"', text)
                self.assertEqual(sorted(stops), ["hello", "yield"], text)

    def test_next_steps_over_a_system_call(self):
        for cpus, out in self.each("yield", "jos break yield user/yield.c:15", "continue", "next"):
            self.assertRegex(out["next"], r'16\t+cprintf\("Back in')


class KernelEntryTest(GdbTest):
    def test_system_calls(self):
        # sys_page_map always uses int; sys_getenvid and sys_cputs use sysenter if the CPU has it.
        for cpus, out in self.each("dumbfork", "break syscall if tf->tf_regs.reg_eax == 5",
                                   "continue", "bt", "tbreak kern/syscall.c:sys_cputs",
                                   " continue", " bt"):
            for command in ("bt", " bt"):
                with self.subTest(cpus=cpus, command=command):
                    self.assertRegex(out[command], r"\(\) at kern/(challenge/sysentry|trapentry)"
                                                   r"\.S:\d+\n")
                    self.assertRegex(out[command], PROGRAM_FRAMES % "dumbfork")

    def test_each_instruction_of_an_entry_point(self):
        # And the first instructions of the C function that the entry point calls.
        for entry, program in (("all_traps", "spin"), ("syscall_int", "dumbfork"),
                               ("sysenter_entry", "dumbfork")):
            out, text = self.gdb(program, 1, "break %s if curenv" % entry, "continue",
                                 *["bt", "stepi"] * 18)
            for number, trace in enumerate(out[2::2]):
                with self.subTest(entry=entry, instruction=number):
                    self.assertRegex(trace, r"(?m)^#\d .*%s \(\) at kern/.*:\d+$" % entry)
                    self.assertRegex(trace, LAST_FRAMES)

    def test_entry_points_show_their_source(self):
        for cpus in CPU_NUMBERS:
            # A stop of another CPU at the breakpoint would end the step too early.
            _, text = self.gdb("faultread", cpus, "break all_traps if curenv", "continue",
                               "set scheduler-locking on", "step", "next", "bt", "next", "next")
            self.assertRegex(text, r"all_traps \(\) at kern/trapentry\.S:\d+\n\d+\t\tpushl %ds\n"
                                   r"(?s:.*)\n\d+\t\tpushl %es\n(?s:.*)\n\d+\t\tpushal\n(?s:.*)\n"
                                   r"\d+\t\tmovl \$GD_KD, %eax.*\n(?s:.*)\n\d+\t\tmovw %ax, %ds")
            self.assertNotIn("signal handler", text)

    def test_an_upcall(self):
        for cpus, out in self.each("forktree", "jos break forktree pgfault", "continue", "bt"):
            self.assertRegex(out["bt"], r"(?s)#0  pgfault \(.*\n#\d .*dispatch \(\) at "
                                        r"lib/pfentry\.S:\d+\n#\d  grow \(.*\) at "
                                        r"user/forktree\.c:21\n")
            self.assertRegex(out["bt"], PROGRAM_FRAMES % "forktree")

    def test_an_interrupt(self):
        for cpus, out in self.each(
                "endless", 'break sched_tick if $_any_caller_is("trap", 3)', "continue", "bt"):
            self.assertRegex(out["bt"], r"all_traps \(\) at kern/trapentry\.S:\d+\n#")
            self.assertRegex(out["bt"], PROGRAM_FRAMES % "console/endless")


class BootTest(GdbTest):
    def test_from_the_boot_sector_to_the_scheduler(self):
        for cpus, out in self.each(
                "hello", "hbreak *0x7c00", "continue", "x/5i $pc", "stepi", "x/i $pc", "jos cpus",
                "jos envs", "delete", "hbreak i386_init", " continue", "x/2i $pc", "jos x16 0x7c00",
                " x/2i $pc", "break sched_yield", "break trap", "break syscall", "break env_run",
                "  continue", "bt", "jos va 0", "jos va", "jos va nosuch", "jos pgdir 4242",
                "jos pgdir kernel", "jos break hello", "program nosuch",
                "jos break hello nosuchfunction", "jos", "jos trapframe"):
            with self.subTest(cpus=cpus):
                self.assertIn("real mode, 0000:7c00", out["continue"])
                self.check_16_bit_code(out)
                self.assertEqual(len(re.findall(r"(?m)^[* ]  \d    not started ",
                                                out["jos cpus"])), cpus)
                self.assertIn("does not run yet on this CPU: paging is off", out["jos envs"])
                for name, file in (("sched_yield", "sched"), ("trap", "trap"),
                                   ("syscall", "syscall"), ("env_run", "env")):
                    # syscall may also be inlined, and then it has two locations.
                    self.assertRegex(out["break " + name],
                                     r"file kern/%s\.c, line|syscall\. \(2 locations\)" % file)
                self.assertRegex(out["bt"], r"^#0  sched_yield \(\) at kern/sched\.c:\d+\n#1 .* in "
                                            r"i386_init \(")
                self.check_messages(out)

    def check_16_bit_code(self, out):
        for command in ("x/5i $pc", "x/i $pc", "jos x16 0x7c00"):
            self.assertRegex(out[command], r"0x7c01:\s+xor +%ax,%ax")
        for command in ("x/2i $pc", " x/2i $pc"):
            self.assertRegex(out[command], r"<i386_init>:\s+push +%ebp\n.*mov +%esp,%ebp")

    def check_messages(self, out):
        for command, message in (
                ("jos va 0", "  not present: an access is a page fault"),
                ("jos va", "Which address? Type: help jos va"),
                ("jos va nosuch", "The address 'nosuch': No symbol"),
                ("jos pgdir 4242", "There is no environment 00004242: jos envs lists them."),
                ("jos pgdir kernel", "Page directory of the kernel, at physical address "),
                ("jos break hello", "Which program or environment, and where?"),
                ("program nosuch", "There is no program nosuch: make builds "),
                ("jos break hello nosuchfunction", '"nosuchfunction" not defined'),
                ("jos trapframe", "CPU 0 is not in a trap."),
                ("jos", "jos envs -- List the environments")):
            self.assertIn(message, out[command])


class LockTest(GdbTest):
    def test_cpu_that_waits_for_the_lock(self):
        out, text = self.gdb("spin spin spin spin", 4, "break lock_slowly", "continue", "jos cpus",
                             "jos lock", "thread 1", "thread 2", "thread 3", "thread 4")
        self.assertRegex(out[2], r"(?m)^\*  \d    kernel, waits for the lock ")
        self.assertRegex(out[3], r"(?m)^CPU \d waits$")
        self.assertEqual(len(re.findall("Switching to thread", text)), 4, text)

    def test_environment_that_waits(self):
        for cpus, out in self.each("pingpong", "break ipc_deliver", "continue", "jos envs"):
            self.assertRegex(out["jos envs"], r"(?m)^0000100\d  pingpong  "
                                              r"(receives|sends to 0000100\d) ")


class WithoutPythonTest(GdbTest):
    def test_says_so(self):
        # Without its files, GDB has Python, but not what GDB defines in Python.
        out, text = self.gdb("hello", 1, "break env_run", "continue", "p thiscpu->cpu_id",
                             options=["--data-directory=/nonexistent"])
        self.assertIn("This GDB has no Python: there are no commands 'jos ...'", text)
        self.assertRegex(out[2], r"= 0 '\\000'$")


class PageTest(KernelTest):
    def test_every_command_is_described(self):
        with open(TREE.path("docs", "gdb.md"), encoding="utf-8") as f:
            page = f.read()
        for name in ("envs", "cpus", "lock", "pgdir", "va", "page", "trapframe", "break", "x16",
                     "trace"):
            self.assertIn("jos %s" % name, page)
