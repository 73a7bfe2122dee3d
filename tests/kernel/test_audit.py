"""The kernel's audit (kern/check/audit.c): it finds no error after any program in the tree, no
pages or environments are left over, and it finds each kind of damage to the kernel's data."""

import re

from tests.support import KernelTest, run_gdb, user_programs
from tools.check.fuzz import run_all

BALANCED = r"(?m)^audit: (\d+) pages, (\d+) environments, balanced$"

# For programs that read keys or enter the monitor: the output to wait for, and what to type then.
TYPED = {
    "cgetc": (r"waiting for a key", "x"),
    "cgetcmany": (r"reading", "abcq"),
    "breakpoint": (r"K> \Z", "continue\n"),
    "stepover": (r"K> \Z", "continue\n"),
    "keys": (r"keys: reading", "x"),
    "lines": (r"line: \Z", "x\n"),
    "gradekey": (r"gradekey: waiting", "ab"),
    "gradecow": (r"K> \Z", "kill\n"),  # A child panics; its parent waits for it.
}

# GDB expressions: the page of envs[0]'s page directory; the entry of its first text page.
PAGE = "pages[((unsigned)envs[0].env_pgdir - 0xf0000000) >> 12]"
ENTRY = "{unsigned}(0xf0000000 + (envs[0].env_pgdir[0x800000 >> 22] & ~0xfff))"
DYING, RUNNABLE, RUNNING = 1, 2, 3

# GDB damages the kernel's data after `stuck` has run, and the audit must print the pattern. At that
# time 1000 is stopped, 1001 waits for a message, and 1002, 1004 and 1005 wait to send to 1000.
DAMAGE = {
    "a reference too many": (
        ["%s.pp_ref = 7" % PAGE], r"page 0x\w{8} has 7 references, 1 mappings found"),
    "a lost page": (
        ["page_free_list = page_free_list->pp_link"],
        r"page 0x\w{8} is lost: neither in use nor free"),
    "a wrong number of free pages": (
        ["page_nfree = page_nfree - 5"], r"\d+ pages are counted as free, \d+ are listed"),
    "a cycle in the free list": (
        ["page_free_list->pp_link->pp_link = page_free_list"],
        r"page 0x\w{8} is on the free list twice"),
    "a bad pointer in the free list": (
        ["page_free_list->pp_link = (struct PageInfo *)12"],
        r"the list of free pages has the bad pointer 0xc"),
    "a page that is free and in use": (
        ["%s.pp_link = page_free_list" % PAGE, "page_free_list = &%s" % PAGE],
        r"page 0x\w{8} is on the free list, but in use"),
    "a page directory mapped for a user": (
        ["%s = ((unsigned)envs[0].env_pgdir - 0xf0000000) | 7" % ENTRY],
        r"page 0x\w{8} is the kernel's, but mapped elsewhere"),
    "a page table bit that users may not set": (
        ["%s |= 0x100" % ENTRY], r"\[00001000\] va 0x800000 is mapped as \w{8}"),
    "a missing page table of the kernel": (
        ["envs[0].env_pgdir[960] = 0"],
        r"\[00001000\] env_pgdir\[960\] is \w{8}, not \w{8}"),
    "a stopped environment that is runnable": (
        ["envs[0].env_status = %d" % RUNNABLE], r"\[00001000\] is stopped, but may run .*"),
    "a runnable environment outside the runnable set": (
        ["envs[0].env_status = %d" % RUNNABLE],
        r"from slot \d+ on, slot 0 is runnable, but -1 is found"),
    "a running environment on no CPU": (
        ["envs[0].env_status = %d" % RUNNING],
        r"\[00001000\] has an env_status that contradicts env_oncpu .*"),
    "a waiting environment that is runnable": (
        ["envs[1].env_status = %d" % RUNNABLE],
        r"\[00001001\] waits, but is on a CPU or not ENV_NOT_RUNNABLE .*"),
    "a CPU's environment that is not on the CPU": (
        ["cpus[1].cpu_env = envs"], r"\[00001000\] is cpu_env of CPU 1, but is not on that CPU"),
    "an environment whose CPU has no cpu_env": (
        ["envs[0].env_oncpu = 1", "envs[0].env_cpunum = 1"],
        r"\[00001000\] is on a CPU whose cpu_env is not this environment .*"),
    "an environment on two CPUs": (
        ["envs[0].env_oncpu = 1", "envs[0].env_cpunum = 0", "cpus[0].cpu_env = envs",
         "cpus[1].cpu_env = envs"], r"\[00001000\] is cpu_env of CPU 1, but is not on that CPU"),
    "an environment that does not wait, in a queue": (
        ["envs[2].env_queue = 0"], r"\[00001002\] is in a list where it does not belong"),
    "a queue with a wrong tail": (
        ["envs[0].env_ipc_senders.tail = &envs[2]"],
        r"\[00001000\] the queue of its senders has a wrong tail"),
    "a wrong backward link in a queue": (
        ["envs[4].env_prev = 0"], r"\[00001004\] has a wrong env_prev"),
    "a dying environment outside the runnable set": (
        ["envs[0].env_status = %d" % DYING, "envs_dying = 1"],
        r"from slot \d+ on, slot 0 is runnable, but -1 is found"),
    "a wrong number of dying environments": (
        ["envs_dying = 3"], r"3 environments are counted as dying, 0 are"),
    "a cycle in a queue": (
        ["envs[4].env_link = &envs[2]"], r"\[00001002\] is in two lists, or twice in one"),
}


class AuditTest(KernelTest):
    slow = True

    def audit(self, machine):
        """Run `audit` at the prompt. Returns the numbers of pages and environments."""
        answer = machine.command("audit")
        found = re.search(BALANCED, answer)
        self.assertTrue(found, answer)
        return int(found.group(1)), int(found.group(2))

    def run_program(self, machine, name):
        """Run a program from the prompt until the prompt is back; return its output."""
        if name == "fuzz":  # At a breakpoint of fuzz, run_all types `continue`.
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

    def test_audit_counts_pages_and_environments(self):
        machine = self.boot("")
        machine.run_to_prompt()
        pages, envs = self.audit(machine)
        self.assertEqual(envs, 0)
        machine.send("run breakpoint\n")
        machine.wait_for("Breakpoint")
        more_pages, envs = self.audit(machine)
        self.assertEqual(envs, 1)
        self.assertGreater(more_pages, pages + 5)  # Page directory, two page tables, text, stack
        machine.command("continue")
        self.assertEqual(self.audit(machine), (pages, 0))

    def test_killed_environments_leave_nothing(self):
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

    def test_programs_leave_nothing(self):
        machine = self.boot("", cpus=4)
        machine.run_to_prompt()
        before = tuple(map(str, self.audit(machine)))
        for name in user_programs("*"):
            if name in ("stuck", "endless", "gradelow"):  # They do not end by themselves, or panic.
                continue
            # No subTest: after a failure, this machine cannot run the next program.
            output = self.run_program(machine, name)
            self.assertRegex(output, r"\] new env ", name)
            self.assertEqual(re.findall(BALANCED, output), [before], name)
        self.assertEqual(set(re.findall(r"stresssched on CPU (\d)", machine.output)),
                         {"0", "1", "2", "3"}, "a CPU was not used")

    def test_each_kind_of_damage_is_found(self):
        self.may_panic = True
        for name, (changes, complaint) in DAMAGE.items():
            with self.subTest(damage=name):
                machine = self.boot("stuck", cpus=2, gdb=True)
                run_gdb(machine, "break audit", "continue",
                        *("set var " + change for change in changes), "delete", "detach")
                self.assert_lines(machine.run_to_prompt(), [
                    "audit: " + complaint, r"audit: \d+ errors",
                    ".*: the kernel's data is inconsistent"], no=[".* balanced"])
                machine.stop()
