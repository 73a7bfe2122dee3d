"""The kernel's audit of its books (kern/check/audit.c): no program in the tree may unbalance them, nor
leave anything behind, whatever it does and however it ends."""

import re

from tests.support import KernelTest, run_gdb, user_programs
from tools.check.fuzz import run_all

BALANCED = r"(?m)^audit: (\d+) pages, (\d+) environments, balanced$"

# What to type, and when, for the programs that wait for it.
TYPED = {
    "cgetc": (r"waiting for a key", "x"),
    "cgetcmany": (r"reading", "abcq"),
    "breakpoint": (r"K> \Z", "continue\n"),
    "keys": (r"keys: reading", "x"),
    "lines": (r"line: \Z", "x\n"),
}

# The page of an environment's page directory, and the entry for its first page of text.
PAGE = "pages[((unsigned)envs[0].env_pgdir - 0xf0000000) >> 12]"
ENTRY = "{unsigned}(0xf0000000 + (envs[0].env_pgdir[0x800000 >> 22] & ~0xfff))"
DYING, RUNNABLE, RUNNING = 1, 2, 3

# What GDB changes in the books of a kernel where `stuck` has ended, and what must be said of it.
# There 1000 is stopped, 1001 waits for a message, 1002, 1004 and 1005 are 1000's senders.
MISTAKES = {
    "a reference too many": (
        ["%s.pp_ref = 7" % PAGE], r"page 0x\w{8} has 7 references, 1 mappings found"),
    "a page that is lost": (
        ["page_free_list = page_free_list->pp_link"],
        r"page 0x\w{8} is lost: neither in use nor free"),
    "a wrong number of free pages": (
        ["page_nfree = page_nfree - 5"], r"\d+ pages are counted as free, \d+ are listed"),
    "a free list that goes around": (
        ["page_free_list->pp_link->pp_link = page_free_list"],
        r"page 0x\w{8} is on the free list twice"),
    "a free list that leads astray": (
        ["page_free_list->pp_link = (struct PageInfo *)12"],
        r"the list of free pages has the bad pointer 0xc"),
    "a page that is free and in use": (
        ["%s.pp_link = page_free_list" % PAGE, "page_free_list = &%s" % PAGE],
        r"page 0x\w{8} is on the free list, but in use"),
    "a page directory given to a user": (
        ["%s = ((unsigned)envs[0].env_pgdir - 0xf0000000) | 7" % ENTRY],
        r"page 0x\w{8} is the kernel's, but mapped elsewhere"),
    "a bit that is not a user's": (
        ["%s |= 0x100" % ENTRY], r"\[00001000\] va 0x800000 is mapped as \w{8}"),
    "another page table of the kernel's": (
        ["envs[0].env_pgdir[960] = 0"],
        r"\[00001000\] env_pgdir\[960\] is \w{8}, not \w{8}"),
    "one that is stopped and may run": (
        ["envs[0].env_status = %d" % RUNNABLE], r"\[00001000\] is stopped, but may run .*"),
    "one that is not in the runnable set": (
        ["envs[0].env_status = %d" % RUNNABLE],
        r"from slot \d+ on, slot 0 is runnable, but -1 is found"),
    "one that runs on no CPU": (
        ["envs[0].env_status = %d" % RUNNING],
        r"\[00001000\] has an env_status that contradicts env_oncpu .*"),
    "one that waits and may run": (
        ["envs[1].env_status = %d" % RUNNABLE],
        r"\[00001001\] waits, but is on a CPU or not ENV_NOT_RUNNABLE .*"),
    "a CPU's that is not there": (
        ["cpus[1].cpu_env = envs"], r"\[00001000\] is cpu_env of CPU 1, but is not on that CPU"),
    "one whose CPU does not know it": (
        ["envs[0].env_oncpu = 1", "envs[0].env_cpunum = 1"],
        r"\[00001000\] is on a CPU whose cpu_env is not this environment .*"),
    "one on two CPUs": (
        ["envs[0].env_oncpu = 1", "envs[0].env_cpunum = 0", "cpus[0].cpu_env = envs",
         "cpus[1].cpu_env = envs"], r"\[00001000\] is cpu_env of CPU 1, but is not on that CPU"),
    "a queue of one that does not wait": (
        ["envs[2].env_queue = 0"], r"\[00001002\] is in a list where it does not belong"),
    "a queue without its end": (
        ["envs[0].env_ipc_senders.tail = &envs[2]"],
        r"\[00001000\] the queue of its senders has a wrong tail"),
    "a queue that is not linked backwards": (
        ["envs[4].env_prev = 0"], r"\[00001004\] has a wrong env_prev"),
    "one that is dying and gets no turns": (
        ["envs[0].env_status = %d" % DYING, "envs_dying = 1"],
        r"from slot \d+ on, slot 0 is runnable, but -1 is found"),
    "a wrong number of dying ones": (
        ["envs_dying = 3"], r"3 environments are counted as dying, 0 are"),
    "a queue that goes around": (
        ["envs[4].env_link = &envs[2]"], r"\[00001002\] is in two lists, or twice in one"),
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
        if name == "fuzz":  # It may run into a breakpoint: then somebody must type continue.
            return run_all(machine, "run " + name)
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
        machine = self.boot("", cpus=4)
        machine.run_to_prompt()
        before = tuple(map(str, self.audit(machine)))
        for name in user_programs("*"):
            if name == "stuck":  # That is what it is for.
                continue
            # Without a subTest: after a failure, the machine is of no use to the programs that follow.
            output = self.run_program(machine, name)
            self.assertRegex(output, r"\] new env ", name)
            self.assertEqual(re.findall(BALANCED, output), [before], name)
        self.assertEqual(set(re.findall(r"stresssched on CPU (\d)", machine.output)),
                         {"0", "1", "2", "3"}, "a CPU was not used")

    def test_every_mistake_is_found(self):
        self.may_panic = True
        for name, (changes, complaint) in MISTAKES.items():
            with self.subTest(mistake=name):
                machine = self.boot("stuck", cpus=2, gdb=True)
                run_gdb(machine, "break audit", "continue",
                        *("set var " + change for change in changes), "delete", "detach")
                self.assert_lines(machine.run_to_prompt(), [
                    "audit: " + complaint, r"audit: \d+ errors",
                    ".*: the kernel's books do not balance"], no=[".* balanced"])
                machine.stop()
