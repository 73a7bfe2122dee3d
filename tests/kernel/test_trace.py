"""The trace: make trace-NAME, the option trace, the monitor's command trace."""

import contextlib
import os
import re

from tests.support import LIMIT_SECONDS, TREE, BrokenKernelTest, KernelTest, add_tests
from tools.grade.gradelib import check_end
from tools.see.check import check, check_times
from tools.see.decode import decode, kind_names
from tools.see.rings import PAGE_RECORDS
from tools.see.trace import Run

FIRST = 0x1000  # The id of the first environment
PAGE_FAULT = 14


def complaints_of(run, tree):
    """The run's model, and what the check says."""
    model = decode(run.streams, tree, run.program.split(",")[0], "", run.ticks_per_second)
    return model, check_times(run.streams) + check(model)


class Events:
    """The events of a model, by kind."""

    def __init__(self, model):
        self.model = model
        columns = [model["events"][name] for name in ("t", "cpu", "kind", "env", "arg", "place")]
        self.rows = [(t, cpu, model["kinds"][kind], env, arg, model["places"][place])
                     for t, cpu, kind, env, arg, place in zip(*columns)]

    def of(self, *kinds):
        """(env, arg) of the events of some kinds."""
        return [(env, arg) for _, _, kind, env, arg, _ in self.rows if kind in kinds]

    def calls(self, name):
        """How often a system call was made."""
        number = self.model["calls"].index(name)
        return sum(arg == (number << 8 | 0x30) for _, arg in self.of("enter"))


class TraceTest(KernelTest):
    def trace(self, program, cpus, tree=TREE, **options):
        """Run a program with the trace; return the Run."""
        self.cpus_used.add(cpus)
        return Run(tree, program, cpus, seconds=LIMIT_SECONDS, **options)


class RunTest(TraceTest):
    def events(self, program, cpus, lossless=True):
        """Run a program with the trace, check the trace, and return its Events."""
        run = self.trace(program, cpus)
        self.assertTrue(run.complete, run.end + "\n" + run.output)
        self.assertEqual(check_end(run.output), [])
        model, complaints = complaints_of(run, TREE)
        self.assertEqual(complaints, [])
        if lossless:
            self.assertEqual(model["lost"], [0] * cpus)
        return Events(model)

    def test_messages(self):
        for cpus in (1, 4):
            events = self.events("pingpong", cpus)
            parent, child = FIRST, FIRST + 1
            # The parent sends 0, then both answer up to 10.
            self.assertEqual(events.of("message"), [(parent, child), (child, parent)] * 5
                             + [(parent, child)])
            self.assertEqual(events.of("fork"), [(0, parent), (parent, child)])
            self.assertEqual(events.model["envs"], [
                {"id": parent, "program": "pingpong", "parent": 0},
                {"id": child, "program": "pingpong", "parent": parent}])

    def test_forks_and_ends(self):
        for cpus in (1, 2):
            events = self.events("forktree", cpus)
            made = [arg for _, arg in events.of("fork")]
            self.assertEqual(len(made), 15)
            self.assertEqual(sorted(arg for _, arg in events.of("destroy")), sorted(made))
            self.assertEqual(events.calls("exofork"), 14)
            self.assertEqual({env for env, _ in events.of("run")}, set(made))

    def test_faults(self):
        events = self.events("faultalloc", 1)
        addresses = [0xdeadbeef, 0xcafebffe, 0xcafec000]
        self.assertEqual(events.of("fault"), [(FIRST, address) for address in addresses])
        self.assertEqual(events.of("enter").count((FIRST, PAGE_FAULT)), 3)
        self.assertEqual(events.calls("page_alloc"), 3 + 1)  # And the exception stack

    def test_places(self):
        events = self.events("faultread", 1)
        places = {kind: place for _, _, kind, _, arg, place in events.rows
                  if kind != "enter" or arg == PAGE_FAULT}
        self.assertRegex(places["enter"], r"^umain user/faultread\.c:\d+$")
        self.assertRegex(places["fault"], r"^page_fault_handler (\./)?kern/trap\.c:\d+$")
        self.assertRegex(places["run"], r"^env_run (\./)?kern/env\.c:\d+$")

    def test_every_cpu_runs_environments(self):
        events = self.events("stresssched", 4)
        self.assertEqual({cpu for _, cpu, kind, *_ in events.rows if kind == "run"}, {0, 1, 2, 3})
        self.assertGreater(len(events.of("ipi")), 0)

    def test_program_that_runs_on_is_stopped(self):
        run = self.trace("primes", 2, records=20000)
        self.assertRegex(run.end, r"stopped after \d+ records: it would run on")
        self.assertEqual(complaints_of(run, TREE)[1], [])

    def test_primes_up_to_the_line_that_the_grade_wants(self):
        # Under load, QEMU may get more time than the tool, and records are lost.
        events = self.events("primes", 4, lossless=False)
        self.assertGreater(len(events.rows), 100000)

    def test_lost_records_are_counted(self):
        # The rings have room for 128 records of each CPU.
        run = self.trace("forktree", 2, pages=1)
        model, complaints = complaints_of(run, TREE)
        self.assertEqual(complaints, [])
        for cpu, stream in enumerate(run.streams):
            got = model["events"]["cpu"].count(cpu)
            self.assertEqual(model["lost"][cpu], stream.written - got)
        self.assertGreater(sum(s.written for s in run.streams), 2 * PAGE_RECORDS)

    def test_make(self):
        files = [TREE.obj("trace", "hello" + suffix) for suffix in (".html", ".perfetto-trace")]
        for path in files:
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
        for option, says in (("-nosuch", "-nosuch: invalid option"), ("'", "No closing quotation")):
            done = TREE.run_make("-s", "trace-hello", "QEMUEXTRA=" + option)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(says, done.stdout)
        done = TREE.run_make("-s", "trace-hello", "CPUS=2", "QEMUEXTRA=-cpu 'qemu32,-sep'")
        self.cpus_used.add(2)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assert_lines(done.stdout, [
            "hello on 2 CPUs: the program ended", r"00001000 .*", "Lost records: none",
            "The check of the trace found no mistake.",
            r"Open \S+/trace/hello\.html in a browser",
            r"Open \S+/trace/hello\.perfetto-trace at https://ui\.perfetto\.dev"])
        for path in files:
            self.assertGreater(os.path.getsize(path), 1000)


class PanicTest(KernelTest):
    may_panic = True

    def test_panic_prints_the_last_events_of_its_cpu(self):
        for cpus in (1, 2):
            output = self.run_kernel("trace pingpong selftest=take_big_lock_twice", cpus=cpus)
            self.assertRegex(output, r"(?m)^kernel panic on CPU 0 .* takes .* lock twice\n"
                                     r"(?:  .*\n|Stack .*\n)*The last events on this CPU.*\n"
                                     r" +-\d+ CPU 0  \[00000000\] lock_taken in .*\n"
                                     r" +0 CPU 0  \[00000000\] fork       00001000 in env_alloc$")

    def test_panic_without_trace_prints_none(self):
        output = self.run_kernel("selftest=take_big_lock_twice")
        self.assertNotIn("events", output)


class MonitorTest(KernelTest):
    def test_trace_is_off_at_first(self):
        machine = self.boot("hello")
        machine.run_to_prompt()
        self.assertEqual(machine.command("trace").splitlines()[1], "The trace is off.")

    def test_last_events_in_order(self):
        machine = self.boot("trace=1 yield yield", cpus=2)
        machine.run_to_prompt()
        answer = machine.command("trace 1000")
        written = [int(n) for n in re.findall(r"(?m)^CPU \d: (\d+) records, the first \d+ of them "
                                              r"overwritten$", answer)]
        self.assertEqual(len(written), 2)
        times = [int(t) for t in re.findall(r"(?m)^ *(-?\d+) CPU \d ", answer)]
        self.assertEqual(times, sorted(times))
        self.assertEqual(times[-1], 0)
        self.assertEqual(len(times), sum(min(n, PAGE_RECORDS) for n in written))
        self.assertIn(" cputs at 008", answer)
        for count in ("17", "0x11"):
            answer = machine.command("trace " + count)
            self.assertEqual(len(re.findall(r"(?m)^ *-?\d+ CPU ", answer)), 17)
        self.assertIn("balanced", machine.command("audit"))

    def test_on_and_off(self):
        machine = self.boot("hello")
        machine.run_to_prompt()
        free = machine.command("kerninfo")
        machine.command("trace on")
        machine.command("run hello")
        self.assertIn("destroy    00002000", machine.command("trace"))
        machine.command("trace off")
        machine.command("run hello")
        self.assertNotIn("00003000", machine.command("trace 100"))
        self.assertIn("balanced", machine.command("audit"))
        self.assertNotEqual(machine.command("kerninfo"), free)
        for count in ("maybe", "0", "-1", "4294967297"):
            self.assertIn("Usage: trace", machine.command("trace " + count))

    def test_wrong_options(self):
        words = ["trace=", "trace=0", "trace=3", "trace=2048", "trace=1x", "traces"]
        output = self.run_kernel(" ".join([*words, "hello"]))
        self.assert_lines(output, ["command line: '%s' has no such value" % word
                                   for word in words])

    def test_too_little_memory(self):
        machine = self.boot("hello trace=1024", memory=self.little_memory(), cpus=2)
        machine.run_to_prompt()
        self.assertIn("trace: too little memory for 1024 pages on each CPU", machine.output)
        self.assertEqual(machine.command("trace").splitlines()[1], "The trace is off.")

    def test_failing_allocation(self):
        # The third allocation of the rings fails. The next `trace on` gets the rest.
        machine = self.boot("failalloc=3 trace")
        machine.run_to_prompt()
        self.assertIn("trace: too little memory", machine.output)
        machine.command("trace on")
        machine.command("run hello")
        self.assertIn("destroy    00001000", machine.command("trace"))
        self.assertIn("balanced", machine.command("audit"))

    def test_kernel_names_each_kind(self):
        with open(TREE.path("kern", "check", "traceprint.c"), encoding="utf-8") as f:
            named = set(re.findall(r'\[PROBE_\w+\] = "(\w+)"', f.read()))
        unrecorded = {"spin", "flush", "flushed", "stop", "go"}
        self.assertEqual(named, set(kind_names(TREE)) - unrecorded)


# A mistake in the kernel, or in its probes: file, text, its replacement, program, what check() says
BROKEN = {
    "drop_reported_twice": (
        "kern/env.c", "unlock_kernel(); // Exercise 5",
        "unlock_kernel(); probe(PROBE_LOCK_DROP, 0);", "hello",
        r"CPU \d drops the lock, which (no CPU|CPU \d) holds"),
    "run_not_reported": (
        "kern/env.c", "probe(PROBE_RUN, e->env_id);", "", "hello",
        r"CPU \d has environment 00001000 on it, without a run"),
    "message_to_an_environment_that_does_not_wait": (
        "kern/challenge/ipcsend.c", "if ((*to)->env_ipc_recving)", "if (1)",
        "longcalls,receiver_of_many_ends",
        r"CPU \d delivers a message to [0-9a-f]{8}, which does not wait"),
    "environment_ends_without_lock": (
        "kern/env.c", "\tprobe(PROBE_DESTROY, e->env_id);",
        "\tunlock_kernel(); probe(PROBE_DESTROY, e->env_id); lock_kernel();", "hello",
        r"CPU \d has the event destroy without the lock"),
}


class BrokenTest(BrokenKernelTest, TraceTest):
    def check(self, name):
        file, text, instead, program, says = BROKEN[name]
        with self.broken(file, text, instead):
            run = self.trace(program, 2, self.tree)
        self.assertRegex("\n".join(complaints_of(run, self.tree)[1]), says)


add_tests(BrokenTest, BROKEN)
