"""Bounds: how long one call holds the big lock; that an ended environment's memory and slot are
used again; and which id a slot gets next."""

import re

from tests.support import ICOUNT, TREE, KernelTest, run_gdb

# The most instructions for which one call may hold the lock: about the cost of forking and ending a
# small program. user/bench/longcalls.c makes each kind of call; docs/costs.md lists the longest
# holds.
BOUND = 30000
# A fault prints 23 lines with the lock held, which takes most of the time.
BOUND_OF_FAULTS = 50000

KINDS = re.findall(r'(?m)^\t\{ "(\w+)", ', open(TREE.path("user/bench/longcalls.c")).read())
ALONE = ["long_text", "full_batch"]  # Kinds that use only one environment

# Pairs: the last id of a slot, and the next id of that slot.
IDS = [(0x00000000, 0x00001000), (0x00001001, 0x00002001), (0x7fffe002, 0x7ffff002),
       (0x7ffff003, 0x00001403), (0x00001404, 0x00002404), (0x7ffff405, 0x00001805),
       (0x7ffff806, 0x00001c06), (0x7ffffc07, 0x00001007), (0x7fffec08, 0x7ffffc08)]


class BoundsTest(KernelTest):
    slow = True

    def start_at_prompt(self, args=(), **options):
        machine = self.start(args=["-kernel", self.kernel(), "-append", "", *args], limit=300,
                             **options)
        machine.run_to_prompt()
        return machine

    def run_program(self, machine, line, name):
        """Run a program. It must succeed, and free all environments and pages."""
        start = machine.wait_for(r"K> \Z").end()
        machine.send("run %s\n" % line)
        if "many_readers" in line:
            machine.wait_for("press 400 keys", start)
            machine.send("k" * 400)
        machine.wait_for(r"\nK> \Z", start)
        output = machine.output[start:].replace("\r", "")
        self.assert_lines(output, [name + ": ok", "audit: 6 pages, 0 environments, balanced"],
                          no=[".*panic.*"])
        for word in ("new", "free"):
            ids = re.findall(r"(?m)^\[\w{8}\] %s env (\w{8})$" % word, output)
            self.assertEqual(len(ids), len(set(ids)), "an id was used twice")
        made, freed = (set(re.findall(r"(?m)^\[\w{8}\] %s env (\w{8})$" % word, output))
                       for word in ("new", "free"))
        self.assertEqual(made, freed)

    def locks_taken(self, machine):
        """How many times each CPU has taken the lock."""
        return [int(n) for n in re.findall(r"(?m)^ *\d+ +(\d+)", machine.command("lockstat"))]

    def run_on_many(self, line, name, cpus):
        machine = self.start_at_prompt(cpus=cpus)
        machine.command("lockstat on")
        before = self.locks_taken(machine)
        self.run_program(machine, line, name)
        used = [a > b for a, b in zip(self.locks_taken(machine), before)].count(True)
        self.assertGreaterEqual(used, min(cpus, 2), "only one CPU was used")

    # ---- How long the lock is held ----

    def longest_hold(self, machine, line, name):
        """Run a program. Returns the longest time that the lock was held, in instructions."""
        machine.command("lockstat on")
        self.run_program(machine, line, name)
        machine.command("lockstat off")
        return int(re.search(r"held for (\d+) ticks at most", machine.command("lockstat")).group(1))

    def test_no_call_holds_the_lock_too_long(self):
        self.assertGreater(len(KINDS), 10)
        machine = self.start_at_prompt(ICOUNT)
        for kind in KINDS:
            with self.subTest(kind=kind):
                held = self.longest_hold(machine, "longcalls," + kind, "longcalls: " + kind)
                self.assertGreater(held, 1000)
                self.assertLess(held, BOUND_OF_FAULTS if kind == "faults" else BOUND)

    def test_long_calls_work_on_several_cpus(self):
        for kind in KINDS:
            for cpus in () if kind in ALONE else (2, 4):
                with self.subTest(kind=kind, cpus=cpus):
                    self.run_on_many("longcalls," + kind, "longcalls: " + kind, cpus)

    # ---- Memory, slots and children ----

    def test_memory_and_slots_are_reused(self):
        self.run_program(self.start_at_prompt(ICOUNT), "reclaim", "reclaim")
        for cpus in (2, 4):
            self.run_on_many("reclaim", "reclaim", cpus)

    def test_stopped_orphans_end_and_others_go_on(self):
        self.run_program(self.start_at_prompt(ICOUNT), "abandoned", "abandoned")
        for cpus in (2, 4):
            self.run_on_many("abandoned", "abandoned", cpus)

    def test_kill_frees_all_memory(self):
        machine = self.start_at_prompt(cpus=2)
        self.assertIn(" 1 environments, balanced", machine.command("run longcalls,stay"))
        machine.command("kill")
        self.assertIn("audit: 6 pages, 0 environments, balanced", machine.command("audit"))

    # ---- Ids ----

    def test_next_id_of_a_slot(self):
        machine = self.boot(" ".join(["hello"] * len(IDS)), gdb=True)
        run_gdb(machine, "hbreak env_alloc", "continue",
                *("set var envs[%d].env_id = %d" % (slot, last) for slot, (last, _) in
                  enumerate(IDS)), "delete", "detach")
        output = machine.run_to_prompt()
        self.assert_in_order(output, [r"\[00000000\] new env %08x" % new for _, new in IDS])
        self.assert_lines(output, ["i am environment %08x" % new for _, new in IDS])
