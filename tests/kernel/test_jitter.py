"""The option jitter=SEED: valid values; the same seed gives the same run; programs with races."""

import contextlib
import io
import re

from tests.support import TREE, KernelTest, run_gdb
from tools.check.stress import CPU_COUNTS, END, Run, machine_options


class JitterTest(KernelTest):
    def run_with(self, seed, programs):
        """The output of a run on one CPU whose clock counts instructions."""
        return self.start(**machine_options(self.kernel(), programs, seed, 1)).run_to_prompt()

    # ---- The option ----

    def test_same_seed_gives_the_same_run(self):
        # lasttsc prints the time: the instructions since the machine was started.
        programs = "forktree ipcorder lasttsc"
        output = self.run_with(3, programs)
        self.assertRegex(output, r"lasttsc: 0*[1-9a-f]")
        self.assertIn(END, output)
        self.assertEqual(self.run_with(3, programs), output)

    def test_other_seed_gives_another_run(self):
        # Not only the times differ, but the order of the lines.
        orders = set()
        for seed in (3, 4):
            output = self.run_with(seed, "ipcorder forktree")
            orders.add("".join(output.split("jitter: seed %d" % seed)[1:]))
        self.assertEqual(len(orders), 2)

    def test_values_from_1_to_999999999_are_valid(self):
        for value in ("", "0", "-1", "x", "3x", "1000000000", "4294967297"):
            output = self.run_kernel("jitter=%s hello" % value)
            self.assert_lines(output, ["command line: 'jitter=%s' has no such value" % value,
                                       "hello, world"], no=["jitter: .*"])
        output = self.run_kernel("jitter=999999999 hello")
        self.assert_lines(output, ["jitter: seed 999999999", "hello, world"])

    def test_unknown_option_is_named(self):
        output = self.run_kernel("jitte=1 jitterx=1 =1 hello")
        self.assert_lines(output, ["hello, world", *(
            "command line: no program is called '%s=1'" % name
            for name in ("jitte", "jitterx", ""))])

    # ---- Time slices ----

    def test_time_slices_have_random_lengths(self):
        machine = self.boot("jitter=1 " + "yield " * 4, gdb=True)
        said = run_gdb(machine, "break sched_yield", "continue", "delete",
                       "break *lapic_timer_set",
                       *("continue", "print *(unsigned *)($esp + 4)") * 8, "delete", "detach")
        machine.run_to_prompt()
        lengths = re.findall(r"\$\d+ = (\d+)\n", said)
        self.assertEqual(len(lengths), 8, said)
        self.assertGreater(len(set(lengths)), 6, lengths)
        self.assertNotIn("0", lengths)

    def test_idle_cpu_stops_its_timer(self):
        for option in ("", "jitter=1 "):
            machine = self.boot(option + "yield " * 8, cpus=4)
            machine.run_to_prompt()
            for cpu in range(4):
                # The CPU may still poll for work when the monitor starts.
                machine.wait_until(
                    lambda: "initial_count = 0 " in machine.monitor("info lapic %d" % cpu),
                    "%sCPU %d to stop its timer" % (option, cpu))

    # ---- make stress ----

    def test_make_stress_runs_the_chosen_seeds(self):
        output = TREE.make("-s", "stress", "SEEDS=2", "FIRST=7", "STRESS=--cpus 1,2 forktree")
        for seed in (7, 8):
            for cpus in ("1 CPU", "2 CPUs"):
                self.assertRegex(output, r"(?m)^ok jitter=%d forktree, %s \(" % (seed, cpus))
        self.assertRegex(output, r"(?m)^4 runs, 0 failed$")

    def test_failed_run_prints_the_command_that_repeats_it(self):
        run = Run("stress", 5, 4)
        run.wrong = ["missing: something"]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            run.report(False)
        self.assertRegex(printed.getvalue(), r"(?s)FAIL jitter=5 stress, 4 CPUs.*missing: something"
                         r".*make stress SEEDS=1 FIRST=5 STRESS='--cpus 4 -v stress'")


class StressTest(KernelTest):
    """Some programs of tools/check/stress.py, with two seeds. `make stress` runs more."""

    slow = True

    def check(self, program, cpus, seeds):
        self.cpus_used.add(cpus)
        for seed in seeds:
            run = Run(program, seed, cpus).go(TREE)
            self.transcripts.append(run.output)
            self.assertFalse(run.wrong, "jitter=%d, %d CPUs\n%s"
                             % (seed, cpus, "\n".join(run.wrong)))


def add_tests():
    for program in ("stress", "ipcorder", "preempt", "gone", "stresssched", "pingpongs"):
        for cpus in CPU_COUNTS[1:]:
            def test(self, program=program, cpus=cpus):
                self.check(program, cpus, [1] if program == "gone" else [1, 2])
            setattr(StressTest, "test_%s_%d" % (program, cpus), test)


add_tests()
