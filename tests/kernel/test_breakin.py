"""Ctrl-C and Ctrl-P while programs run: the monitor starts, and the programs go on from it."""

import re

from tests.support import KernelTest

CTRL_C, CTRL_P = "\003", "\020"


class BreakInTest(KernelTest):
    def break_in(self, machine):
        """Type Ctrl-C; wait for the prompt. Returns what was printed."""
        start = len(machine.output)
        machine.send(CTRL_C)
        machine.wait_for(r"Ctrl-C on CPU \d+; (?s:.*)K> \Z", start)
        return machine.output[start:].replace("\r", "")

    def show(self, machine):
        """Type Ctrl-P; wait for its last line. Returns what was printed."""
        start = len(machine.output)
        machine.send(CTRL_P)
        machine.wait_for(r"Environments: \d+ of 1024\r?\n", start)
        return machine.output[start:].replace("\r", "")

    def show_waiting(self, machine, pattern):
        """Type Ctrl-P until a program, which is about to wait, waits: until the answer has the
        pattern."""
        for _ in range(100):
            answer = self.show(machine)
            if re.search(pattern, answer):
                return
        self.fail("the program does not wait:\n" + answer)

    def boot_spin(self, **options):
        """Boot a program whose child loops without end, and that never looks at a key."""
        machine = self.boot("endless", **options)
        machine.wait_for("new env 00001000")
        return machine

    def test_control_p_shows_a_looping_program(self):
        for cpus in (1, 2, 4):
            machine = self.boot_spin(cpus=cpus)
            for _ in range(3):
                answer = self.show(machine)
                self.assertRegex(answer, r"(?m)^00001000  00000000  endless +running +\d+ +"
                                         r"nothing: it is on CPU \d$")
                self.assertIn("Environments: 1 of 1024\n", answer)
            self.assertNotIn("K> ", machine.output)

    def test_control_c_stops_a_looping_program(self):
        for cpus in (1, 2, 4):
            machine = self.boot_spin(cpus=cpus)
            for _ in range(3):
                answer = self.break_in(machine)
                self.assertRegex(answer, r"(?m)^  at endless: \w+\+0x\w+ \(\S+:\d+\)$")
                self.assertIn("(endless)", machine.command("cpus"))
                self.assertIn("User frames of 00001000", machine.command("backtrace"))
                machine.send("continue\n")
            self.break_in(machine)
            answer = machine.command("kill")
            self.assert_in_order(answer, [r"\[0000....\] free env 00001000",
                                          "No runnable environments in the system!"])

    def test_programs_go_on_unchanged(self):
        """preempt.c and faultregs check their registers; forktree and primes compute."""
        for cpus in (1, 4):
            machine = self.boot("preempt forktree faultregs", cpus=cpus)
            machine.wait_for("new env 00001002")
            for _ in range(20):
                start = len(machine.output)
                machine.send(CTRL_C)
                machine.wait_for(r"K> \Z", start)
                if "No runnable" in machine.output[start:]:
                    break
                machine.send("continue\n")
            machine.wait_for(r"No runnable(?s:.*)K> \Z")
            self.assert_lines(machine.output, ["preempt: no register has changed",
                                               "....: I am '111'",
                                               "Registers after page-fault OK"],
                              no=[".*panic.*", ".*MISMATCH.*"])

    def test_keyboard_breaks_in(self):
        machine = self.boot_spin()
        machine.type_keys("ctrl-p")
        machine.wait_for("Environments: 1 of 1024")
        machine.type_keys("ctrl-c")
        machine.wait_for(r"Ctrl-C on CPU 0; (?s:.*)K> \Z")
        self.end_environments(machine)

    def test_idle_machine(self):
        """All programs wait for keys. They do not read Ctrl-C and Ctrl-P, and go on afterwards."""
        for cpus in (1, 4):
            machine = self.boot("keys,2", cpus=cpus)
            machine.wait_for("keys: reading")
            self.show_waiting(machine, r"(?m)^00001000  00000000  keys +waiting +\d+ +a key$")
            machine.send("a")
            machine.wait_for("key 061")
            self.break_in(machine)
            self.assertIn("is idle" if cpus > 1 else "runs the monitor", machine.command("cpus"))
            machine.send("continue\n")
            self.break_in(machine)
            machine.send("continue\n")
            machine.wait_for(r"continue\r\n\Z")
            machine.send("b")
            machine.wait_for(r"key 062(?s:.*)K> \Z")

    def test_polling_program_does_not_read_the_keys(self):
        machine = self.boot("keys,2,poll")
        machine.wait_for("keys: reading")
        self.break_in(machine)
        machine.send("continue\n")
        self.show(machine)
        machine.send("xy")
        machine.wait_for(r"key 078(?s:.*)key 079(?s:.*)K> \Z")
        self.assertEqual(re.findall(r"key (\w+)", machine.output), ["078", "079"])

    def test_what_was_typed_before_control_c_is_no_command(self):
        machine = self.boot_spin()
        machine.send("shutdown\nabc")
        self.break_in(machine)
        self.assertNotIn("abc", machine.output)
        self.assertIn("There is no command 'x'", machine.command("x"))
        self.end_environments(machine)

    def test_pasted_control_c_after_run(self):
        machine = self.boot("")
        machine.run_to_prompt()
        machine.send("run endless\n" + CTRL_C + "envs\n")
        machine.wait_for(r"Ctrl-C on CPU 0; (?s:.*)Environments: 1 of 1024\r\nK> \Z")
        self.end_environments(machine)

    def test_waits_are_named(self):
        machine = self.boot("stuck")
        machine.run_to_prompt()
        answer = machine.command("envs")
        rows = re.findall(r"(?m)^(\w{8})  (\w{8})  stuck +(\w+) +\d+ +(.*)$", answer)
        self.assertEqual(rows[0], ("00001000", "00000000", "stopped", "its start"))
        self.assertEqual(rows[1], ("00001001", "00001000", "waiting",
                                   "a message from any environment"))
        self.assertEqual({row[2:] for row in rows[2:]},
                         {("waiting", "00001000 (stuck) to receive its message")})
        self.assertEqual(len(rows), 5, answer)

    def test_control_p_at_the_prompt(self):
        machine = self.boot("breakpoint")
        machine.run_to_prompt()
        machine.send("bac" + CTRL_P)
        machine.wait_for(r"Environments: 1 of 1024\r\nK> bac\Z")
        machine.send("\003")
        machine.wait_for(r"K> bac\^C\r\nK> \Z")
        self.end_environments(machine)

    def test_control_c_ends_a_long_list(self):
        machine = self.boot("hello")
        machine.run_to_prompt()
        start = len(machine.output)
        machine.send("dump -p 0 0x8000000\n" + "x" * 10 + CTRL_C)
        machine.wait_for(r"\nK> \Z", start)
        self.assertNotIn("^C", machine.output)
        self.assertNotIn("07fffff0", machine.output)
        self.assertIn("There is no command 'y'", machine.command("y"))
