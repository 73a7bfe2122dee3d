"""Failing page allocations (kern/check/failalloc.c). A program runs again and again, and each time
another of its allocations fails. The program must report the failure, and no page may leak."""

import re

from tests.support import KernelTest

PROMPT = r"K> \Z"
INJECTED = r"(?m)^page_alloc: failure injected at %d$"
BALANCED = r"(?m)^audit: \d+ pages, (\d+) environments, balanced$"
EMPTY = "audit: 6 pages, 0 environments, balanced"

# What a program, or the kernel, prints when memory runs out.
DOCUMENTED = r"out of memory|\] no memory for its floating-point state"

# These run with K on one CPU and on four, and with K+ on one.
SHORT = ["hello", "dumbfork", "faultalloc", "faultdie", "faultregs", "sendpage", "pingpong",
         "pingpongs", "divrecover"]

# Slower programs run once.
SERIES = [("floats", "", 1), ("forktree", "", 4), ("stuck", "+", 4)] + [
    (name, suffix, cpus) for name in SHORT for suffix, cpus in (("", 1), ("+", 1), ("", 4))]


class FailallocTest(KernelTest):
    slow = True

    def run_once(self, machine, name, k, suffix):
        """Run a program with the k-th allocation failing, then kill all environments. Returns the
        output after the failure (None if there were fewer than k allocations), and the number of
        environments that were left before the kill."""
        start = machine.wait_for(PROMPT).end()
        machine.send("failalloc %d%s\nrun %s\n" % (k, suffix, name))
        machine.wait_for(PROMPT, machine.wait_for("run " + name, start).end())
        output = machine.output[start:].replace("\r", "")
        machine.command("failalloc 0")
        balanced = re.search(BALANCED, machine.command("audit"))
        self.assertTrue(balanced, output)
        machine.command("kill")
        self.assertIn(EMPTY, machine.command("audit"), output)
        found = re.search(INJECTED % k, output)
        return output[found.end():] if found else None, int(balanced.group(1))

    def check_series(self, name, suffix="", cpus=1, least=9):
        """Let allocation k fail, for k = 1, 2, 3, ... until the program makes fewer than k."""
        machine = self.boot("", cpus=cpus, limit=300)
        machine.run_to_prompt()
        in_first_fork = [False]
        k = 1
        while True:
            output, envs = self.run_once(machine, name, k, suffix)
            if output is None:
                break
            self.assertRegex(output, DOCUMENTED, "%s, allocation %d" % (name, k))
            if "user panic" not in output:
                self.assertEqual(envs, 0, output)
            # If the first fork failed, only the parent is left.
            in_first_fork.append(bool(re.search(": s?fork: out of memory", output)))
            if cpus == 1 and in_first_fork == sorted(in_first_fork) and in_first_fork[-1]:
                self.assertEqual(envs, 1, output)
            k += 1
        self.assertGreaterEqual(k - 1, least, "%s made too few allocations" % name)

    # ---- The option ----

    def test_option_fails_one_allocation(self):
        output = self.run_kernel("failalloc=1 hello hello")
        self.assert_in_order(output, ["page_alloc: failure injected at 1", "hello: out of memory",
                                      r"\[00000000\] new env 00001000", "hello, world"])

    def test_option_with_plus_fails_all_later_allocations(self):
        output = self.run_kernel("hello failalloc=3+ hello hello")
        self.assert_in_order(output, [
            r"\[00000000\] new env 00001000", r"\[00000000\] new env 00001001",
            "page_alloc: failure injected at 3", "hello: cannot be loaded: out of memory",
            "hello: out of memory", "hello, world"])
        self.assertEqual(output.count("failure injected"), 1)

    def test_invalid_values_are_refused(self):
        values = ["", "-1", "x", "3x", "3++", "+", "+3", "4294967297", "99999999999+"]
        machine = self.boot(" ".join("failalloc=" + value for value in values) + " hello")
        output = machine.run_to_prompt()
        self.assert_lines(output, ["hello, world"] + [
            r"command line: 'failalloc=%s' has no such value" % re.escape(v) for v in values])
        for value in values:
            self.assertIn("Usage: failalloc", machine.command("failalloc " + value))


def add_series():
    for name, suffix, cpus in SERIES:
        def test(self, name=name, suffix=suffix, cpus=cpus):
            self.check_series(name, suffix, cpus)
        setattr(FailallocTest, "test_%s_%d%s" % (
            name, cpus, "_and_all_after" if suffix else ""), test)


add_series()
