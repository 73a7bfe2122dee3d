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

    def check_programs(self, cpus):
        machine = self.boot("", cpus=cpus, limit=300)
        machine.run_to_prompt()
        before = self.audit(machine)
        for name in user_programs("*"):
            with self.subTest(program=name):
                output = self.run_program(machine, name)
                self.assertRegex(output, r"\] new env ")
                self.assertEqual(re.findall(BALANCED, output), [tuple(map(str, before))])

    def test_no_program_leaves_anything_1(self):
        self.check_programs(1)

    def test_no_program_leaves_anything_4(self):
        self.check_programs(4)
