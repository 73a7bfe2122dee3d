"""Faults in the kernel: on each CPU, a fault prints its cause and stops the other CPUs.

GDB causes the faults: it stops a CPU in the kernel and changes the code, the stack pointer or eip.
"""

import re

from tests.support import KernelTest, run_gdb
from tools.build.elffile import read_elf

CPUS = 4
KSTACKTOP, KSTACK_STEP, KSTACK_SIZE = 0xf0000000, 0x10000, 0x8000  # inc/memlayout.h
FL_AC = 0x40000
CR4_SMEP, CR4_SMAP = 0x100000, 0x200000
UTEXT, USER_TEXT, USER_STACK = 0x800000, 0x800020, 0xeebfdf00

# push %ebp; mov %esp, %ebp; call to itself
RECURSION = (0x55, 0x89, 0xe5, 0xe8, 0xf8, 0xff, 0xff, 0xff)
ENDLESS_LOOP = (0xfa, 0xeb, 0xfe)  # cli; jmp to itself
UNDEFINED = (0x0f, 0x0b)  # ud2


def patch(function, code):
    """GDB's command that overwrites the start of a function with these bytes."""
    return "set var {unsigned char[%d]}%s = {%s}" % (len(code), function,
                                                     ",".join(map(str, code)))


def stop_in(function, cpu, condition="1"):
    """GDB's commands that stop a CPU at the first instruction of a function."""
    return ["break *%s if $_thread == %d && (%s)" % (function, cpu + 1, condition), "continue"]


def stop_in_a_line(cpu, character=None):
    """GDB's commands that stop a CPU the first time that it is about to print a piece of text that
    starts with `character`, or any text."""
    start = [*stop_in("mp_main", cpu), "delete"] if cpu else []
    return [*start, *stop_in("cons_put", cpu, "**(char **)($esp + 4) == %d" % ord(character)
                             if character else "1")]


def stop_with_environment(cpu):
    """GDB's commands that stop a CPU in sched_yield, in an environment's address space."""
    return stop_in("sched_yield", cpu, "cpus[{0}].cpu_env != 0 && "
                   "cpus[{0}].cpu_env->env_pgdir == cpus[{0}].cpu_pgdir".format(cpu))


def call(function, *arguments):
    """GDB's commands that replace a call by another, at the first instruction of the callee."""
    return [*("set var {int}($esp + %d) = %d" % (4 + 4 * i, argument)
              for i, argument in enumerate(arguments)), "set $eip = " + function]


class FaultTest(KernelTest):
    may_panic = True

    def boot_and_break(self, *commands, cmdline=" ".join(["yield"] * 16), **options):
        """Boot, run GDB's commands, then detach GDB."""
        options.setdefault("cpus", CPUS)
        machine = self.boot(cmdline, gdb=True, **options)
        self.gdb_said = run_gdb(machine, *commands, "delete", "detach")
        return machine

    def halted(self, machine):
        """The CPUs that are halted with interrupts off. Only a reset or an NMI wakes them."""
        states = re.findall(r"CPU#(\d+).*?EFL=(\w+).*?HLT=(\d)",
                            machine.monitor("info registers -a"), re.DOTALL)
        return {int(cpu) for cpu, flags, halt in states
                if halt == "1" and not int(flags, 16) & 0x200}

    def assert_panic(self, machine, cpu, text):
        """Only this CPU panics (any CPU, if `cpu` is None), the monitor starts, and all other CPUs
        are halted. Returns the output."""
        machine.run_to_prompt()
        output = machine.output.replace("\r", "")
        panics = re.findall(r"(?m)^(.*)kernel panic on CPU (\d+) at (.*)$", output)
        self.assertEqual(len(panics), 1, output)
        before, number, rest = panics[0]
        self.assertEqual(before, "")
        self.assertRegex(rest, r"^kern/(check/)?\w+\.c:\d+: " + text)
        if cpu is not None:
            self.assertEqual(int(number), cpu)
        others = set(range(machine.cpus)) - {int(number)}
        machine.wait_until(lambda: self.halted(machine) == others, "all others to be halted")
        self.assertNotIn("within the panic", output)
        return output


class StackOverflowTest(FaultTest):
    def check_recursion(self, cpu, **options):
        machine = self.boot_and_break(*stop_in("sched_yield", cpu),
                                      patch("mon_kerninfo", RECURSION),
                                      "set $eip = mon_kerninfo", **options)
        output = self.assert_panic(machine, cpu, "kernel stack overflow at va ")
        guard = KSTACKTOP - cpu * KSTACK_STEP - KSTACK_SIZE
        va = int(re.search(r"overflow at va (\w{8}), eip f\w{7}, esp %08x\n" % guard,
                           output).group(1), 16)
        self.assertTrue(guard - KSTACK_SIZE <= va < guard, output)
        self.assert_in_order(output, [
            r"TRAP frame at 0x\w{8} from CPU %d" % cpu, "  trap 0x00000008 Double Fault",
            r"        kern/monitor\.c:\d+: mon_kerninfo\+[03]", r"kernel panic on CPU %d .*" % cpu,
            r"  environment: .*", r"  big lock: held by CPU %d" % cpu, "Stack backtrace:",
            r"        kern/check/doublefault\.c:\d+: double_fault\+\d+",
            r"        kern/monitor\.c:\d+: mon_kerninfo\+\d+",
            r"        kern/monitor\.c:\d+: mon_kerninfo\+8",
            r"  \.\.\. \d{4} frames more \.\.\.",
            r"        kern/init\.c:\d+: %s\+\d+" % ("mp_main" if cpu else "i386_init"),
            r"Welcome .*"])
        # The backtrace continues from the double-fault stack to the stack that overflowed.
        answer = machine.command("backtrace")
        self.assert_in_order(answer, [
            r"        kern/init\.c:\d+: _panic\+\d+",
            r"        kern/check/doublefault\.c:\d+: double_fault\+\d+",
            r"        kern/monitor\.c:\d+: mon_kerninfo\+\d+",
            r"        kern/init\.c:\d+: %s\+\d+" % ("mp_main" if cpu else "i386_init")])

    def test_recursion_on_cpu_0(self):
        self.check_recursion(0)

    def test_recursion_on_cpu_3(self):
        self.check_recursion(3)

    def test_recursion_on_the_last_cpu(self):
        self.check_recursion(31, cpus=32, limit=180)

    def test_overflow_in_the_middle_of_a_line(self):
        # The CPU that panics holds the console's lock.
        for cpu in (0, 3):
            with self.subTest(cpu=cpu):
                stack = KSTACKTOP - cpu * KSTACK_STEP - KSTACK_SIZE
                machine = self.boot_and_break(*stop_in_a_line(cpu), "set $esp = %#x" % stack)
                self.assert_panic(machine, cpu, "kernel stack overflow at va ")

    def test_only_one_cpu_panics_if_all_lose_their_stacks(self):
        # Each entry from user mode is a double fault, on all CPUs at almost the same time.
        machine = self.boot_and_break(
            *stop_in("sched_yield", 3),
            *("set var cpus[%d].cpu_ts.ts_esp0 = 0x1000" % cpu for cpu in range(CPUS)))
        output = self.assert_panic(machine, None, "double fault, eip ")
        self.assertEqual(len(re.findall("TRAP frame", output)), 1, output)
        self.assert_lines(output, [r"  cs   0x----001b", r"  ss   0x----0023"])


class PanicTest(FaultTest):
    def test_nmi_is_a_panic(self):
        machine = self.boot("", cpus=CPUS)
        machine.run_to_prompt()
        machine.monitor("nmi")
        machine.wait_for(r"panic on CPU 0(?s:.*)K> \Z")
        self.assert_panic(machine, 0,
                          "Non-Maskable Interrupt: the hardware reports an error")
        self.assertIn("kerninfo - ", machine.command("help"))
        self.assertIn("Not after a panic", machine.command("run hello"))

    def test_hardware_error_in_user_mode_is_a_panic(self):
        frame = "(*(struct Trapframe **)($esp + 4))"
        for trapno, name in ((2, "Non-Maskable Interrupt"), (18, "Machine-Check")):
            with self.subTest(name=name):
                machine = self.boot_and_break(*stop_in("trap", 0, frame + "->tf_cs & 3"),
                                              "set var %s->tf_trapno = %d" % (frame, trapno),
                                              cpus=1, cmdline="sliced")
                self.assert_panic(machine, 0, name + ": the hardware reports an error")
                machine.stop()

    def test_late_nmi_of_another_cpu_is_ignored(self):
        # The NMI of force_into_kernel may arrive in sysenter_entry, where ds may have a value of
        # virtual-8086 mode, which is no selector; or in a program.
        for where, cmdline, line in (
                *([("*sysenter_entry if $ds == 0x1234", "vm86enter", "vm86enter: ok")]
                  if self.gives_virtual_8086_mode() else []),
                ("*env_pop_tf", "yield", r"All done in environment 00001000\."),
                ("*%#x" % UTEXT, "yield", r"All done in environment 00001000\.")):
            with self.subTest(where=where):
                machine = self.boot_and_break(
                    "hbreak " + where, "continue", "set var cpus[0].cpu_nmi_sent = 1",
                    "monitor nmi", cmdline=cmdline, cpus=1)
                self.assert_lines(machine.run_to_prompt(), [line], no=[".*panic.*", ".*trap 0x.*"])
                machine.monitor("nmi")  # No CPU has sent this NMI.
                machine.wait_for(r"panic on CPU 0(?s:.*)K> \Z")
                self.assert_panic(machine, 0, "Non-Maskable Interrupt")
                machine.stop()

    def test_panic_says_what_the_cpu_was_doing(self):
        # A program's page fault, and CPU 3 panics in it.
        machine = self.boot_and_break(*stop_in("page_fault_handler", 3), "set $eip = 0",
                                      cmdline="faultalloc " * 8)
        output = self.assert_panic(machine, 3, "page fault in the kernel at va 00000000")
        self.assert_in_order(output, [
            r"kernel panic on CPU 3 at kern/trap\.c:\d+: .*",
            r"  environment: 0000100\d \(faultalloc\)", "  big lock: held by CPU 3",
            "Stack backtrace:", r"        kern/init\.c:\d+: _panic\+\d+",
            r"        kern/trap\.c:\d+: trap\+\d+",
            r"  at faultalloc: \w+\+0x\w+ \(\S+:\d+\)", "Welcome .*"])

    def test_panic_without_an_environment(self):
        machine = self.boot_and_break(*stop_in("sched_halt", 0), "set $eip = 0", cmdline="",
                                      cpus=1)
        self.assert_in_order(self.assert_panic(machine, 0, "page fault in the kernel"), [
            "kernel panic .*", "  environment: none", "  big lock: held by CPU 0"])

    def test_backtrace_names_the_function_that_panics(self):
        # The compiler may move the call of _panic into a part of the function with another name.
        machine = self.boot_and_break(*stop_in("sched_yield", 0), "set var kernel_lock.holder = 0",
                                      cpus=1)
        self.assert_panic(machine, 0, r"assertion failed: kernel_locked\(\)")
        self.assert_in_order(machine.command("backtrace"), [
            r"        kern/init\.c:\d+: _panic\+\d+",
            r"        kern/sched\.c:\d+: sched_yield\+\d+",
            r"        kern/init\.c:\d+: i386_init\+\d+"])

    def test_lines_of_other_cpus_are_not_cut(self):
        # CPU 0 panics at a system call, while another CPU is in the middle of a line.
        machine = self.boot_and_break(
            *stop_in("syscall_fast", 0, "mid_line"), "monitor nmi",
            cmdline=" ".join(["yield"] * 80))
        output = self.assert_panic(machine, 0, "Non-Maskable Interrupt")
        start = output.index("\nTRAP frame at") + 1
        body = output[output.index("SMP: CPU 3 starting"):start]
        pattern = (r"SMP: CPU 3 starting|"
                   r"\[0000....\] (new env|exiting gracefully|free env)( 0000....)?|"
                   r"Hello, I am environment 0000....\.|All done in environment 0000....\.|"
                   r"Back in environment 0000...., iteration \d\.|")
        for line in body.split("\n"):
            self.assertRegex(line, "^(%s)$" % pattern)
        self.assertRegex(output[start:], r"\ATRAP frame at 0x\w+ from CPU 0\n"
                         r"(  [a-z]+ +0x[-\w]+.*\n)+"
                         r"kernel panic .*\n  environment: 0000.... \(yield\)\n"
                         r"  big lock: .*\nStack backtrace:\n(  .*\n)+"
                         r"Welcome .*\nType .*\nK> \Z")

    def test_cpu_that_loops_with_interrupts_off_is_stopped(self):
        machine = self.boot_and_break(*stop_in("sched_yield", 3),
                                      patch("mon_kerninfo", ENDLESS_LOOP),
                                      "set $eip = mon_kerninfo")
        self.assertNotIn(3, self.halted(machine))
        machine.monitor("nmi")
        self.assert_panic(machine, 0, "Non-Maskable Interrupt")

    def test_unfinished_line_of_another_cpu_is_ended(self):
        # CPU 3 stops in the middle of a line. CPU 0 panics and reaches udelay, where it waits.
        machine = self.boot_and_break(
            *stop_in_a_line(3), "delete", "set scheduler-locking on", "thread 1", "set $eip = 0",
            "break udelay", "continue", "set scheduler-locking off")
        output = self.assert_panic(machine, 0, "page fault in the kernel at va 00000000")
        self.assertIn("\nSMP: CPU 3 starting\nTRAP frame", output)

    def test_second_panic_at_the_same_time_is_silent(self):
        # CPU 0 panics when CPU 3 is about to stop the other CPUs.
        machine = self.boot_and_break(
            *stop_in_a_line(3), "delete", "set $eip = 0", "set scheduler-locking on",
            "break lapic_nmi", "continue", "thread 1", *call("panic_begin", 0, 0),
            "break panic_halt", "continue", "backtrace 1", "set scheduler-locking off")
        self.assertRegex(self.gdb_said, r"#0  panic_halt ")
        output = self.assert_panic(machine, 3, "page fault in the kernel at va 00000000")
        self.assertEqual(len(re.findall("TRAP frame", output)), 1, output)

    def test_panic_does_not_wait_forever_for_a_line(self):
        machine = self.boot_and_break(
            *stop_in_a_line(3, "3"), patch("mon_kerninfo", ENDLESS_LOOP),
            "set $eip = mon_kerninfo")
        machine.monitor("nmi")
        output = self.assert_panic(machine, 0, "Non-Maskable Interrupt")
        self.assertRegex(output, r"\nSMP: CPU \nTRAP frame")  # From "SMP: CPU 3 starting"

    def test_fault_in_the_console_is_printed(self):
        machine = self.boot_and_break(*stop_in_a_line(3), "set $eip = 0")
        self.assert_panic(machine, 3, "page fault in the kernel at va 00000000, eip 00000000")

    def test_unfinished_line_of_full_width_is_ended(self):
        # The cursor is already on the next line, but the serial line is not.
        word = "x" * (80 - len("command line: no program is called '"))
        machine = self.boot_and_break(*stop_in_a_line(0, "'"), "set $eip = 0", cmdline=word)
        output = self.assert_panic(machine, 0, "page fault in the kernel at va 00000000")
        self.assertIn("'%s\nTRAP frame" % word, output)

    def assert_ends(self, machine):
        machine.wait_until(lambda: self.halted(machine) == set(range(CPUS)), "all to be halted")
        self.assertEqual(machine.qmp("query-status")["status"], "running")

    def test_panic_within_a_panic_is_reported(self):
        machine = self.boot("", cpus=CPUS, gdb=True)
        run_gdb(machine, "detach")
        machine.run_to_prompt()
        machine.monitor("nmi")
        machine.wait_for(r"panic on CPU 0(?s:.*)K> \Z")
        run_gdb(machine, "thread 1", "set $eip = 0", "detach")
        self.assert_ends(machine)
        self.assertRegex(machine.output.replace("\r", ""),
                         r"K> \nanother panic within the panic: Page Fault, eip 00000000\n\Z")

    def test_panic_within_a_line_of_a_panic_is_reported(self):
        # This CPU holds the line's lock, but must still print the last message.
        machine = self.boot_and_break(
            *stop_in("sched_yield", 3), "delete", "set $eip = 0", "break kdebug_print_kernel",
            "continue", "delete", "break cons_put", "continue", "set $eip = 0")
        self.assert_ends(machine)
        self.assertRegex(machine.output.replace("\r", ""),
                         r"\nanother panic within the panic: Page Fault, eip 00000000\n\Z")

    def test_panic_that_cannot_print_halts(self):
        machine = self.boot_and_break(*stop_in("sched_halt", 0), patch("cons_put", UNDEFINED),
                                      cmdline="")
        self.assert_ends(machine)
        self.assertNotIn("panic", machine.output)


class UserMemoryTest(FaultTest):
    """SMEP and SMAP: the kernel does not execute user memory, and cannot access it by mistake."""

    def test_each_cpu_uses_the_protection_that_it_has(self):
        for model, bits in (("max", CR4_SMEP | CR4_SMAP), ("qemu32", 0), ("qemu32,+smep", CR4_SMEP),
                            ("qemu32,+smap", CR4_SMAP)):
            with self.subTest(model=model):
                self.check_bits(model, CPUS, bits)

    def test_cpuid_without_leaf_7_means_no_protection(self):
        # For a leaf that it does not have, CPUID answers with its last leaf. There, SMAP's bit
        # belongs to the number of CPUs.
        self.check_bits("qemu32,+smap,level=1", 16, 0)

    def check_bits(self, model, cpus, bits):
        machine = self.boot("faultalloc", cpus=cpus, args=["-cpu", model])
        machine.run_to_prompt()
        found = re.findall(r"CR4=(\w+)", machine.monitor("info registers -a"))
        self.assertEqual([int(cr4, 16) & (CR4_SMEP | CR4_SMAP) for cr4 in found], [bits] * cpus)
        self.assert_lines(machine.output, ["this string was faulted in at deadbeef",
                                           "fault cafebffe"], no=[".*panic.*"])
        machine.stop()

    def check(self, commands, protected, va, access):
        """Run GDB's commands in the kernel while user memory is mapped. The kernel must panic, on
        the CPU model `protected` and on QEMU's model with all features."""
        for cpu in (0, 3):
            for model in (protected, "max"):
                with self.subTest(cpu=cpu, model=model):
                    machine = self.boot_and_break(*stop_with_environment(cpu), *commands,
                                                  cmdline="fairness fairness fairness fairness",
                                                  args=["-cpu", model])
                    output = self.assert_panic(
                        machine, cpu, "page fault in the kernel at va %08x" % va)
                    self.assert_lines(output, [r"  err  0x\w{8} \[kernel, %s, protection\]"
                                               % access])
                    machine.stop()

    def test_reading_user_memory_is_a_panic(self):
        self.check(call("strnlen", USER_TEXT, 16), "qemu32,+smap", USER_TEXT, "read")

    def test_writing_user_memory_is_a_panic(self):
        self.check(call("memset", USER_STACK, 0, 16), "qemu32,+smap", USER_STACK, "write")

    def test_executing_user_memory_is_a_panic(self):
        self.check(["set $eip = %#x" % USER_TEXT], "qemu32,+smep", USER_TEXT, "read")

    def test_reading_without_smap_is_harmless(self):
        machine = self.boot_and_break(*stop_in("sys_cputs", 0),
                                      *call("strnlen", USER_TEXT, 16), cpus=1, cmdline="yield",
                                      args=["-cpu", "qemu32"])
        self.assert_lines(machine.run_to_prompt(), [r"All done in environment 0000....\."],
                          no=[".*panic.*"])

    def test_users_eflags_ac_does_not_disable_smap(self):
        # faultregs sets EFLAGS.AC, which disables SMAP, and expects it unchanged afterwards.
        show = "p/x $eflags & %#x" % FL_AC
        machine = self.boot_and_break(
            *stop_in("page_fault_handler", 0, "{int}({int}($esp + 4) + 56) & %#x" % FL_AC), show,
            cmdline="faultregs", args=["-cpu", "max"], cpus=1)
        self.assertIn("$1 = 0x0\n", self.gdb_said)
        self.assert_lines(machine.run_to_prompt(), ["Registers after page-fault OK"])

    def test_smap_is_disabled_only_for_an_access(self):
        show = "p/x $eflags & %#x" % FL_AC
        self.boot_and_break(*stop_in("cons_write", 0), show, "break unlock_kernel", "continue",
                            show, cmdline="hello", args=["-cpu", "max"], cpus=1)
        self.assertIn("$1 = %#x\n" % FL_AC, self.gdb_said)
        self.assertIn("$2 = 0x0\n", self.gdb_said)


class ReadOnlyTest(FaultTest):
    def check(self, symbol):
        va = read_elf(self.kernel()).symbol(symbol).value
        for cpu in (0, 3):
            with self.subTest(cpu=cpu):
                machine = self.boot_and_break(*stop_in("sched_yield", cpu),
                                              *call("memset", va, 0, 4))
                output = self.assert_panic(
                    machine, cpu, "page fault in the kernel at va %08x" % va)
                self.assert_lines(output, [r"  err  0x\w{8} \[kernel, write, protection\]"])
                machine.stop()

    def test_writing_to_the_kernels_text_is_a_panic(self):
        self.check("i386_init")

    def test_writing_to_constants_is_a_panic(self):
        self.check("ksym_strings")
