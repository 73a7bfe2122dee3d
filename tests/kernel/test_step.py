"""The monitor after a breakpoint or a user fault: step, continue, backtraces and lines of programs.
"""

import re
import subprocess

from tests.support import TREE, KernelTest
from tools.build.elffile import read_elf


class ProgramPlacesTest(KernelTest):
    """What the monitor says about a place in a program."""

    def assert_place(self, name, address, file, line):
        answer = subprocess.run(["addr2line", "-e", TREE.obj("user", name), "%#x" % address],
                                stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
        self.assertRegex(answer, r"(^|/)%s:%s( |$)" % (re.escape(file), line))

    def test_breakpoint_shows_function_and_line(self):
        for name in ("breakpoint", "stepover"):
            machine = self.boot(name)
            output = machine.run_to_prompt().replace("\r", "")
            self.end_environments(machine)
            eip = int(re.search(r"(?m)^  eip  0x(\w+)$", output).group(1), 16)
            at = re.search(r"(?m)^  at %s: umain\+0x\w+ \((\S+):(\d+)\)$" % name, output)
            self.assertTrue(at, output)
            self.assert_place(name, eip, *at.groups())

    def test_user_fault_shows_function_and_line(self):
        for name in ("faultread", "divzero", "softint"):
            output = self.run_kernel(name)
            eip = int(re.search(r"(?m)^  eip  0x(\w+)$", output).group(1), 16)
            at = re.search(r"(?m)^  at %s: umain\+0x\w+ \((\S+):(\d+)\)$" % name, output)
            self.assertTrue(at, output)
            self.assertEqual(at.group(1), "user/%s.c" % name)
            self.assert_place(name, eip, *at.groups())

    def test_bad_argument_of_a_call_shows_the_caller(self):
        output = self.run_kernel("buggyhello")
        self.assert_in_order(output, [
            r"\[00001000\] user_mem_check assertion failure for va 00000001",
            r"  at buggyhello: umain\+0x\w+ \(user/buggyhello\.c:\d+\)",
            r"\[00001000\] free env 00001000"])

    def check_backtrace(self, name, answer, functions):
        """The user frames of an answer of `backtrace`."""
        self.assertIn("\nUser frames of 00001000 (%s):\n" % name, answer)
        frames = re.findall(r"(?m)^  ebp (\w{8}) eip (00\w{6}) args(?: [0-9a-f]{8}){5}\n"
                            r"        (\S+):(\d+): (\w+)\+(\d+)$", answer)
        self.assertEqual([frame[4] for frame in frames], functions, answer)
        symbols = {s.name: s.value for s in read_elf(TREE.obj("user", name)).symbols()}
        for i, (_, eip, file, line, function, offset) in enumerate(frames):
            self.assertEqual(int(eip, 16) - symbols[function], int(offset))
            self.assert_place(name, int(eip, 16) - (i > 0), file, line)

    def test_backtrace_continues_in_the_program(self):
        machine = self.boot("breakpoint")
        machine.run_to_prompt()
        answer = machine.command("backtrace")
        self.assertRegex(answer, r"kern/trap\.c:\d+: trap\+")
        self.check_backtrace("breakpoint", answer, ["umain", "libmain", "_start"])
        self.end_environments(machine)

    def test_backtrace_of_a_waiting_program(self):
        # With sysenter, and without: the frames of the functions in lib/syscall.S differ.
        for model, gate in (("qemu32", "_gate_sysenter"), ("qemu32,-sep", "_gate_int")):
            machine = self.boot("cgetcmany breakpoint", args=["-cpu", model])
            machine.run_to_prompt()
            answer = "\n" + machine.command("backtrace 1000")
            self.check_backtrace("cgetcmany", answer, [gate, "umain", "libmain", "_start"])
            self.assertNotIn("kern/", answer)
            self.assertIn("There is no environment '1005'", machine.command("backtrace 1005"))
            self.end_environments(machine)


class StepTest(KernelTest):
    def setUp(self):
        super().setUp()
        self.symbols = {s.name: s.value for s in read_elf(TREE.obj("user", "stepover")).symbols()}

    def step(self, machine):
        """Type `step`. Returns eip after it."""
        answer = machine.command("step")
        found = re.search(r"\A\w+\n(?:\[.*\n)*  eip  0x(\w{8})\n"
                          r"  at stepover: \w+\+0x\w+ \(\S+:\d+\)\nK> \Z", answer)
        self.assertTrue(found, answer)
        return int(found.group(1), 16)

    def check_steps(self, **options):
        machine = self.boot("stepover", **options)
        machine.run_to_prompt()
        for number in range(2, 10):
            self.assertEqual(self.step(machine), self.symbols["step_%d" % number])
        # The page fault goes to the handler, from its first instruction on.
        self.assertEqual(self.step(machine), self.symbols["_pgfault_upcall"])
        for _ in range(3):
            self.step(machine)
        machine.send("continue\n")
        machine.wait_for(r"stepover: ok(?s:.*)No runnable(?s:.*)K> \Z")
        self.assert_lines(machine.output, ["stepover: ok"], no=[".*panic.*"])

    def test_each_step_is_one_instruction(self):
        self.check_steps()
        self.check_steps(cpus=4)
        self.check_steps(args=["-cpu", "qemu32,-sep"])

    def test_steps_to_the_end_of_a_program(self):
        # Through lib/syscall.S, with sysenter and without, to the call that ends the program.
        for model in ("qemu32", "qemu32,-sep"):
            machine = self.boot("breakpoint", args=["-cpu", model])
            machine.run_to_prompt()
            for _ in range(60):
                answer = machine.command("step")
                if "free env" in answer:
                    break
                self.assertRegex(answer, r"(?m)^  at breakpoint: ")
            self.assert_in_order(answer, [r"\[00001000\] exiting gracefully",
                                          r"\[00001000\] free env 00001000",
                                          "No runnable environments in the system!"])

    def test_other_environments_run_during_a_step(self):
        machine = self.boot("breakpoint yield yield")
        machine.wait_for(r"K> \Z")
        for _ in range(12):
            machine.command("step")
        machine.send("continue\n")
        machine.wait_for(r"No runnable(?s:.*)K> \Z")
        self.assert_lines(machine.output, [r"All done in environment 00001001\.",
                                           r"All done in environment 00001002\."])

    def test_step_needs_a_stopped_program(self):
        machine = self.boot("")
        machine.run_to_prompt()
        self.assertIn("\nThere is no stopped program.\n", machine.command("step"))

    def test_step_does_not_disturb_a_program_that_steps_itself(self):
        machine = self.boot("breakpoint steps")
        machine.run_to_prompt()
        for _ in range(5):
            machine.command("step")
        machine.send("continue\n")
        machine.wait_for(r"No runnable(?s:.*)K> \Z")
        self.assert_lines(machine.output, ["steps: ok"])
