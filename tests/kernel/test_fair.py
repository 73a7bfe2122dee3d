"""Fairness of the scheduler: the order of turns and their length.

kern/sched.c has the rule. Shares are measured on one CPU whose clock counts instructions, so all
runs are the same, even on a busy host. The output goes to a file: if a pipe
was full, the environments that print would wait for the reader.
"""

import re

from tests.support import KernelTest, add_tests, run_gdb

# An instruction takes 16 ns: a time slice is 625,000 instructions.
CLOCK = ["-icount", "shift=4,sleep=off"]
SLICES = 100
FRAME = "(*(struct Trapframe **)($esp + 4))"  # The argument, at a function's start
PRINTED_SLICES = 60

# For each pattern of user/sched/shares.c: the children that compute, and the smallest share of the
# CPU, in thousandths, that each of them must get. The shares may differ by at most 50 thousandths.
SHARES = {
    "call": ([1, 3], 450),   # A server and its client take very short turns,
    "send": ([1, 3], 450),
    "calls": ([1, 3], 240),  # or full turns, by calling each other.
    "early": ([1, 2], 475),
    "before": ([1, 2], 380),
    "after": ([1, 2], 380),
    "save": ([1], 633),      # The other child yields every second turn at once.
    "twice": ([2], 400),
    "late": ([1], 500),
    "wait": ([2], 500),
    "exit": ([1], 325),      # Two others: an environment and its child
    "print": ([0, 1, 2], 300),
    "text": ([2], 300),
}


class SharesTest(KernelTest):
    def check(self, pattern):
        children, least = SHARES[pattern]
        slices = PRINTED_SLICES if pattern in ("print", "text") else SLICES
        output = self.run_kernel("shares,%d,%s" % (slices, pattern), args=CLOCK, via_file=True)
        found = re.findall(r"(?m)^shares: %s: child (\d): (\d+) turns, (\d+) of 1000$" % pattern,
                           output)
        self.assertEqual([int(child) for child, *_ in found], children, output)
        turns = [int(n) for _, n, _ in found]
        shares = [int(n) for *_, n in found]
        self.assertGreaterEqual(min(shares), least, output)
        self.assertLessEqual(max(shares) - min(shares), 50, output)
        self.assertLessEqual(max(turns) - min(turns), 2, output)


class TurnsTest(KernelTest):
    def check_longest_wait(self, cpus, **options):
        output = self.run_kernel("fairwait", cpus=cpus, **options)
        found = re.search(r"(?m)^fairwait: 21 environments on (\d) CPU\(s\) "
                          r"waited for at most (\d+) turns of others$", output)
        self.assertTrue(found, output)
        self.assertEqual(int(found.group(1)), cpus)
        # With several CPUs, an environment waits for fewer turns of others.
        self.assertIn(int(found.group(2)), range(10 // cpus, 21))
        self.assert_lines(output, [r"\[00001000\] exiting gracefully"])

    def test_longest_wait_1(self):
        self.check_longest_wait(1, args=CLOCK)

    def test_longest_wait_2(self):
        self.check_longest_wait(2)

    def test_longest_wait_4(self):
        self.check_longest_wait(4)

    def test_longest_wait_8(self):
        self.check_longest_wait(8)

    def check_tick_in_lock(self, program, entry, next_env):
        """At a system call, GDB makes the lock look held by a CPU that does not exist, until the
        waiting CPU has had two ticks. The turn must then end right after the call, before another
        tick: sched_yield gives the next turn to another environment."""
        machine = self.boot(program, args=CLOCK, gdb=True)
        said = run_gdb(
            machine, "hbreak *syscall_fast if " + entry, "continue",
            "set var kernel_lock.holder = 0x38", "delete",
            "hbreak trap_from_kernel", "continue", "continue",
            "set var kernel_lock.holder = 0", "delete",
            "print cpus[0].cpu_env->env_id", "hbreak *env_run", "continue",
            "info symbol *(unsigned *)$esp", "print (*(struct Env **)($esp + 4))->env_id",
            "print ((struct Trapframe *)0xf0000000 - 1)->tf_trapno", "delete", "detach")
        self.assertEqual(re.findall(r"\$\d+ = (\d+)|(\w+) \+ \d+ in section", said),
                         [("4096", ""), ("", "sched_yield"), (next_env, ""), ("48", "")], said)

    def test_tick_while_the_cpu_waits_for_the_lock_ends_the_turn(self):
        self.check_tick_in_lock("lockcalls,1000000 lockcalls,1000000",
                                FRAME + "->tf_regs.reg_eax == SYS_page_unmap", "4097")

    def test_ipc_call_does_not_prolong_a_turn(self):
        # Environment 4096 calls 4098, which is receiving, but 4097 must get the next turn.
        self.check_tick_in_lock("ipccall lockcalls,1000000",
                                FRAME + "->tf_regs.reg_eax == SYS_ipc_call && "
                                "envs[2].env_ipc_recving", "4097")


add_tests(SharesTest, SHARES)
