"""The kernel's audit of its books (kern/audit.c): no program in the tree may unbalance them, nor
leave anything behind, whatever it does and however it ends."""

import re

from support import KernelTest, user_programs

BALANCED = r"(?m)^audit: (\d+) pages, (\d+) environments, balanced$"

# What to type, and when, for the programs that wait for it.
TYPED = {
    "cgetc": (r"waiting for a key", "x"),
    "cgetcmany": (r"reading", "abcq"),
    "breakpoint": (r"K> \Z", "continue\n"),
}


class AuditTest(KernelTest):
    slow = True

    def audit(self, machine):
        """The numbers of pages and of environments, of a kernel at its prompt."""
        answer = machine.command("audit")
        found = re.search(BALANCED, answer)
        self.assertTrue(found, answer)
        return int(found.group(1)), int(found.group(2))

    def run_program(self, machine, name):
        """Run a program from the prompt until there is nothing left to run; return its output."""
        start = machine.wait_for(r"K> \Z").end()
        machine.send("run %s\n" % name)
        if name in TYPED:
            pattern, keys = TYPED[name]
            machine.wait_for(pattern, machine.wait_for(r"new env", start).end())
            machine.send(keys)
        end = machine.wait_for(r"No runnable environments", start).end()
        machine.wait_for(r"K> \Z", end)
        return machine.output[start:].replace("\r", "")

    def test_there_is_one_and_it_counts(self):
        machine = self.boot("")
        machine.run_to_prompt()
        pages, envs = self.audit(machine)
        self.assertEqual(envs, 0)
        machine.send("run breakpoint\n")
        machine.wait_for("Breakpoint")
        more_pages, envs = self.audit(machine)
        self.assertEqual(envs, 1)
        self.assertGreater(more_pages, pages + 5)  # Page directory, two tables, text, stack
        machine.command("continue")
        self.assertEqual(self.audit(machine), (pages, 0))

    def test_environments_that_wait_and_are_killed(self):
        for cpus in (1, 4):
            with self.subTest(cpus=cpus):
                machine = self.boot("", cpus=cpus)
                machine.run_to_prompt()
                before = self.audit(machine)
                self.run_program(machine, "stuck")
                self.assertEqual(self.audit(machine)[1], 5)
                machine.send("run spin breakpoint\n")
                machine.wait_for("Breakpoint")
                machine.command("kill")
                machine.wait_for(r"K> \Z")
                self.assertEqual(self.audit(machine), before)

    def test_no_program_leaves_anything(self):
        machine = self.boot("", cpus=4, limit=300)
        machine.run_to_prompt()
        before = tuple(map(str, self.audit(machine)))
        for name in user_programs("*"):
            if name == "stuck":  # That is what it is for.
                continue
            with self.subTest(program=name):
                output = self.run_program(machine, name)
                self.assertRegex(output, r"\] new env ")
                self.assertEqual(re.findall(BALANCED, output), [before])
        self.assertEqual(set(re.findall(r"stresssched on CPU (\d)", machine.output)),
                         {"0", "1", "2", "3"}, "a CPU was not used")
