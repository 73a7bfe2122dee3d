"""The output of user programs: the lab's programs, programs that fault, conformance programs."""

import re
import struct

from tests.support import ICOUNT, KernelTest, user_programs
from tools.build.elffile import read_elf

KERNBASE = 0xf0000000
HEX = "[0-9a-f]"
USER_IP = "008%s{5}" % HEX


class ProgramsTest(KernelTest):
    def run_alone(self, name, lines, no=(), cpus=1):
        """Run one program. It must print these lines, and its environment must be freed."""
        output = self.run_kernel(name, cpus=cpus)
        self.assert_lines(output, [r"\[00000000\] new env 00001000", *lines,
                                   r"\[0000....\] free env 00001000",
                                   "No runnable environments in the system!"],
                          no=["kernel panic.*", *no])
        return output

    def run_fault(self, name, va, err, bits):
        output = self.run_alone(name, [
            r"\[00001000\] user fault va %s ip %s" % (va, USER_IP)])
        self.assert_in_order(output, [
            r"\[00001000\] user fault va %s ip %s" % (va, USER_IP),
            *self.frame(name, "0x0000000e Page Fault",
                        "  err  0x%08x \\[%s\\]" % (err, bits), "  cr2  0x" + va)])

    def frame(self, name, trap, err, *between):
        """The lines of a trap frame from user mode and of the program's place."""
        return [r"TRAP frame at 0xf%s{7} from CPU \d+" % HEX,
                *("  %-4s 0x%s{8}" % (register, HEX)
                  for register in "edi esi ebp oesp ebx edx ecx eax".split()),
                "  es   0x----0023", "  ds   0x----0023", "  trap " + trap, *between, err,
                "  eip  0x" + USER_IP, "  cs   0x----001b", "  flag 0x%s{8}" % HEX,
                "  esp  0xeebfd%s{3}" % HEX, "  ss   0x----0023",
                # ioport executes outb, an inline function.
                r"  at %s: umain\+0x%s+ \((user/(\w+/)?%s\.c|inc/x86\.h):\d+\)" % (name, HEX, name),
                r"\[00001000\] free env 00001000"]

    def run_trap(self, name, trap, err):
        output = self.run_alone(name, [], no=[".*user fault.*"])
        self.assert_in_order(output, self.frame(name, trap, "  err  0x%08x" % err))

    # ---- Programs without faults ----

    def test_hello(self):
        self.run_alone("hello", ["hello, world", "i am environment 00001000",
                                 r"\[00001000\] exiting gracefully"])

    def test_yield(self):
        output = self.run_alone("yield", [])
        self.assert_in_order(output, [
            "Hello, I am environment 00001000.",
            *("Back in environment 00001000, iteration %d." % i for i in range(5)),
            "All done in environment 00001000.", r"\[00001000\] exiting gracefully"])

    def test_yields_take_turns(self):
        output = self.run_kernel("yield yield yield", args=ICOUNT)
        self.assert_in_order(output, ["Back in environment 0000100%d, iteration %d." % (e, i)
                                      for i in range(5) for e in range(3)])

    def test_dumbfork(self):
        for cpus in (1, 2, 4):
            with self.subTest(cpus=cpus):
                output = self.run_alone("dumbfork", [], cpus=cpus)
                self.assert_in_order(output, [
                    r"\[00001000\] new env 00001001",
                    *("%d: I am the parent!" % i for i in range(10)),
                    r"\[00001000\] exiting gracefully", r"\[00001000\] free env 00001000"])
                self.assert_in_order(output, [
                    *("%d: I am the child!" % i for i in range(20)),
                    r"\[00001001\] exiting gracefully", r"\[00001001\] free env 00001001"])

    def test_dumbfork_takes_turns_on_one_cpu(self):
        output = self.run_kernel("dumbfork", args=ICOUNT)
        turns = re.findall(r"(?m)^(\d+): I am the (parent|child)!$", output)
        wanted = [(str(i), who) for i in range(10) for who in ("parent", "child")]
        self.assertEqual(turns, wanted + [(str(i), "child") for i in range(10, 20)])

    # ---- Faults, traps and modes ----

    def test_faultread(self):
        self.run_fault("faultread", "00000000", 4, "user, read, not-present")

    def test_faultwrite(self):
        self.run_fault("faultwrite", "00000000", 6, "user, write, not-present")

    def test_faultreadkernel(self):
        self.run_fault("faultreadkernel", "f0100000", 5, "user, read, protection")

    def test_faultwritekernel(self):
        self.run_fault("faultwritekernel", "f0100000", 7, "user, write, protection")

    def test_testbss(self):
        output = self.run_alone("testbss", [
            r"Making sure bss works right\.\.\.",
            r"Yes, good\.  Now doing a wild write off the end\.\.\.",
            r"\[00001000\] user fault va 00c%s{5} ip %s" % (HEX, USER_IP)])
        self.assert_lines(output, [r"  err  0x00000006 \[user, write, not-present\]"])

    def test_divzero(self):
        self.run_trap("divzero", "0x00000000 Divide error", 0)

    def test_softint(self):
        # Users may not call vector 14: a general protection fault with this vector.
        self.run_trap("softint", "0x0000000d General Protection", 14 * 8 + 2)

    def test_badsegment(self):
        self.run_trap("badsegment", "0x0000000d General Protection", 0x28)

    def test_ioport(self):
        self.run_trap("ioport", "0x0000000d General Protection", 0)

    def test_breakpoint(self):
        machine = self.boot("breakpoint")
        machine.run_to_prompt()
        answer = machine.command("backtrace")
        self.assertIn("Stack backtrace:", answer)
        self.assert_in_order(machine.output, [
            "Welcome to the JOS kernel monitor!",
            *self.frame("breakpoint", "0x00000003 Breakpoint", "  err  0x00000000")[:-1],
            "K> .*"])
        # The program continues after the breakpoint and exits.
        answer = machine.command("continue")
        self.assert_lines(answer, [r"\[00001000\] exiting gracefully",
                                   r"\[00001000\] free env 00001000",
                                   "No runnable environments in the system!"])

    def test_printed_frame_is_the_environments_frame(self):
        # The memory at the printed address of the frame holds the printed values.
        for slot, programs in enumerate(("breakpoint", "hello breakpoint")):
            machine = self.boot(programs)
            output = machine.run_to_prompt().replace("\r", "")
            address = int(re.search(r"(?m)^TRAP frame at 0x(f\w{7}) from", output).group(1), 16)
            envs = self.kernel_word(machine, "envs")
            if slot == 0:
                self.assertEqual(address, envs)
            else:
                self.assertGreater(address, envs)
            frame = struct.unpack("<17I", machine.physical_memory(address - KERNBASE, 17 * 4))
            printed = [int(value, 16) for value in
                       re.findall(r"(?m)^  \w+ +0x(?:----)?(\w+)(?: Breakpoint)?$", output)]
            self.assertEqual([value & 0xffff if i in (8, 9, 13, 16) else value
                              for i, value in enumerate(frame)], printed)
            machine.command("continue")

    def kernel_word(self, machine, name):
        """The value of a 32-bit variable of the kernel."""
        address = read_elf(self.kernel()).symbol(name).value
        return int.from_bytes(machine.physical_memory(address - KERNBASE, 4), "little")

    def test_long_text_lets_others_run(self):
        for cpus in (1, 4):
            output = self.run_alone("longtext", ["the end of the text", "longtext: ok"], cpus=cpus)
            self.assertEqual(len(re.findall("(?m)^x{63}$", output)), 2048)

    def test_single_steps_are_delivered(self):
        for cpus in (1, 4):
            self.run_alone("steps", ["steps: ok"], cpus=cpus)

    def test_virtual_8086_mode_ends_the_program(self):
        # If QEMU lets a program enter this mode, the kernel ends the program.
        for cpus in (1, 4):
            output = self.run_alone("vm86", ["vm86: asking"], cpus=cpus)
            if "vm86: refused" not in output:
                self.assert_in_order(output, ["vm86: asking", "  trap 0x0000000e Page Fault",
                                              "  flag 0x00020202",
                                              r"\[00001000\] free env 00001000"])

    def test_virtual_8086_mode_with_kernel_selector(self):
        for cpus in (1, 4):
            self.run_alone("vm86,low", ["vm86: asking"], no=["vm86: refused"], cpus=cpus)

    def test_sysenter_from_virtual_8086_mode_is_safe(self):
        for cpus in (1, 4):
            self.run_alone("vm86enter", ["vm86enter: asking", "vm86enter: (ok|refused)"], cpus=cpus)

    def test_flags_from_virtual_8086_mode_are_checked(self):
        has_mode = self.gives_virtual_8086_mode()
        for model in ("qemu32", "pentium2", "max", None):
            for cpus in (1, 4):
                with self.subTest(model=model, cpus=cpus):
                    output = self.run_kernel("vm86flags", cpus=cpus,
                                             args=["-cpu", model] if model else [])
                    self.assert_lines(output, [
                        "vm86flags: other ways: %s ended" % (
                            "0 came back, 80" if has_mode else "80 came back, 0"),
                        "vm86flags: ok"])
                    back, ended = map(int, re.search(
                        r"(?m)^vm86flags: sysenter: (\d+) came back, (\d+) ended$",
                        output).groups())
                    self.assertEqual(back + ended, 352)
                    # Half of them have interrupts on: an interrupt in this mode ends the program.
                    if not has_mode:
                        self.assertEqual(ended, 0)
                    elif model != "max":
                        self.assertGreaterEqual(back, 176)

    def test_loop_without_interrupts_can_be_stopped(self):
        # With SMAP, every QEMU refuses the mode: the iret is a page fault.
        has_mode = self.gives_virtual_8086_mode()
        for model, what in (("qemu32", "ended"), ("pentium2", "ended"), ("max", "refused")):
            for cpus in (2, 4):
                with self.subTest(model=model, cpus=cpus):
                    output = self.run_kernel("vm86loop,two-cpus", cpus=cpus, args=["-cpu", model])
                    self.assert_lines(output, [
                        *("vm86loop: %s: %s" % (way, what if has_mode else "refused")
                          for way in ("destroyed", "stopped", "a page taken")), "vm86loop: ok"])

    def test_evilhello(self):
        self.run_alone("evilhello", [
            r"\[00001000\] user_mem_check assertion failure for va f0100%s{3}" % HEX,
            ], no=[".*user fault.*", ".*exiting gracefully.*"])

    def test_buggyhello(self):
        self.run_alone("buggyhello", [
            r"\[00001000\] user_mem_check assertion failure for va 00000001"],
            no=[".*user fault.*"])

    def test_programs_start_with_interrupts_on(self):
        # -sep: the return from sysenter would switch interrupts on.
        output = self.run_kernel("preempt", args=[*ICOUNT, "-cpu", "qemu32,-sep"])
        self.assert_lines(output, ["preempt: no register has changed"], no=[".*panic.*"])

    def test_waiting_children_outlive_their_parent(self):
        for cpus in (1, 4):
            self.run_alone("orphans", ["orphans: ok"], cpus=cpus)

    def test_string_beyond_the_stack_is_refused(self):
        self.run_alone("longhello", [
            r"\[00001000\] user_mem_check assertion failure for va eebfe000"],
            no=[".*user fault.*"])

    def test_page_faults_after_the_handler_is_removed(self):
        removed = "pgfaultoff: the handler is given up, variable is 2"
        handled = "pgfaultoff: 2 faults were handled"
        fault = r"\[00001000\] user fault va 10000000 ip .*"
        self.run_alone("pgfaultoff", [handled, removed, fault],
                       no=["pgfaultoff: went on", ".*panic.*"])
        self.run_alone("pgfaultoff,fork", [handled, removed, r"\[00001000\] exiting gracefully"])

    def test_faults_do_not_affect_other_programs(self):
        names = ["faultread", "yield", "faultwritekernel", "divzero", "softint", "yield",
                 "badsegment", "evilhello", "buggyhello", "testbss", "faultwrite", "yield"]
        for cpus in (1, 4):
            with self.subTest(cpus=cpus):
                output = self.run_kernel(" ".join(names), cpus=cpus)
                self.assertEqual(len(re.findall(r"(?m)^All done in environment", output)), 3)
                self.assertEqual(len(re.findall(r"(?m)^\[0000....\] free env", output)),
                                 len(names))
                self.assertNotIn("panic", output)

    # ---- The command line ----

    def test_unknown_programs_are_named_and_others_run(self):
        output = self.run_kernel("yield nonsense hello yiel yield2")
        self.assert_lines(output, [
            "command line: no program is called 'nonsense'",
            "command line: no program is called 'yiel'",
            "command line: no program is called 'yield2'",
            r"All done in environment 00001000\.", "i am environment 00001001"])

    def test_arguments_are_passed(self):
        machine = self.boot("args,one,,two, hello,1 nonsense,1")
        output = machine.run_to_prompt().replace("\r", "")
        self.assert_lines(output, ["hello, world",
                                   "command line: no program is called 'nonsense,1'"])
        for words, said in ((["args", "one", "", "two", ""], output),
                            (["args"], machine.command("run args")),
                            (["args", *"bcdefgh"], machine.command("run args,b,c,d,e,f,g,h,i,j"))):
            wanted = ["%d is '%s'" % pair for pair in enumerate(words)] + ["done"]
            self.assertEqual(re.findall(r"(?m)^args: (.*)$", said), wanted)

    def test_empty_command_line_runs_nothing(self):
        for line in ("", "   "):
            output = self.run_kernel(line)
            self.assert_lines(output, ["No runnable environments in the system!"],
                              no=[".*new env.*", ".*no program.*"])

    def test_extra_blanks_are_ignored(self):
        output = self.run_kernel("   hello     hello  ")
        self.assertEqual(len(re.findall("new env", output)), 2)
        self.assertNotIn("no program", output)

    def test_longest_command_line_of_an_image_runs(self):
        output = self.run_kernel(" ".join(["hello"] * 85), cpus=2)  # 509 characters of 511
        self.assertEqual(len(re.findall("(?m)^hello, world$", output)), 85)
        self.assertEqual(len(re.findall("exiting gracefully", output)), 85)

    def test_command_line_too_long_is_cut_with_a_message(self):
        line = " ".join(["hello"] * 400)
        output = self.start(args=["-kernel", self.kernel(), "-append", line],
                            cpus=2).run_to_prompt()
        self.assert_lines(output, [r"command line: only the first \d+ characters are read"])
        self.assertGreater(len(re.findall("hello, world", output)), 80)

    def test_more_than_7_arguments_are_dropped(self):
        output = self.run_kernel("args,1,2,3,4,5,6,7,8 args,1,2,3,4,5,6,7")
        self.assert_lines(
            output, ["'args,1,2,3,4,5,6,7,8' has 8 arguments: only the first 7 are passed"])
        self.assertEqual(output.count("only the first"), 1)
        self.assertEqual(output.count("args: 7 is '7'"), 2)

    def test_very_long_word_is_no_program(self):
        output = self.run_kernel("x" * 500 + " hello")
        self.assert_lines(output, ["command line: no program is called 'x{500}'", "hello, world"])


class ConformanceTest(KernelTest):
    """Each program user/conform/conform_*.c checks one subject and prints the result."""

    def check(self, name, cpus):
        output = self.run_kernel(name, cpus=cpus, args=ICOUNT if cpus == 1 else [])
        self.assert_lines(output, [r"%s: all [1-9]\d* checks passed" % name],
                          no=[".*FAILED.*", "kernel panic.*"])

    def test_conformance_programs_are_found(self):
        self.assertGreater(len(user_programs("conform_*")), 5)


def add_conformance_tests():
    for name in user_programs("conform_*"):
        for cpus in (1, 4):
            def test(self, name=name, cpus=cpus):
                self.check(name, cpus)
            setattr(ConformanceTest, "test_%s_%d" % (name, cpus), test)


add_conformance_tests()
