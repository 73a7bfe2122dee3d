"""How long one call may hold the big lock, what becomes of an environment's memory, slot and
children when it ends, and how ids go on."""

import re

from tests.support import NO_HURRY, TREE, KernelTest, run_gdb

# How long one call may hold the lock, in instructions: about as many as it takes to fork and end a
# small program. The kinds of calls are those of user/bench/longcalls.c; docs/costs.md has the
# longest hold of each.
BOUND = 30000
# A fault prints 22 lines with the lock held; that is most of it.
BOUND_OF_FAULTS = 47000

KINDS = re.findall(r'(?m)^\t\{ "(\w+)", ', open(TREE.path("user/bench/longcalls.c")).read())
OF_ONE = ["long_text", "full_batch"]  # They need no second environment.

# Some last ids, and what follows them in the same slot.
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
        """Run a program; it must say that all went well, and everything it made must be gone."""
        start = machine.wait_for(r"K> \Z").end()
        machine.send("run %s\n" % line)
        if "many_readers" in line:
            machine.wait_for("press 400 keys", start)
            machine.send("k" * 400)
        machine.wait_for(r"\nK> \Z", start)
        output = machine.output[start:].replace("\r", "")
        self.assert_lines(output, [name + ": ok", "audit: 5 pages, 0 environments, balanced"],
                          no=[".*panic.*"])
        for word in ("new", "free"):
            ids = re.findall(r"(?m)^\[\w{8}\] %s env (\w{8})$" % word, output)
            self.assertEqual(len(ids), len(set(ids)), "an id was used twice")
        made, freed = (set(re.findall(r"(?m)^\[\w{8}\] %s env (\w{8})$" % word, output))
                       for word in ("new", "free"))
        self.assertEqual(made, freed)

    def locks_taken(self, machine):
        """How often each CPU has taken the lock."""
        return [int(n) for n in re.findall(r"(?m)^ *\d+ +(\d+)", machine.command("lockstat"))]

    def run_on_many(self, line, name, cpus):
        machine = self.start_at_prompt(cpus=cpus)
        machine.command("lockstat on")
        before = self.locks_taken(machine)
        self.run_program(machine, line, name)
        used = [a > b for a, b in zip(self.locks_taken(machine), before)].count(True)
        self.assertGreaterEqual(used, min(cpus, 2), "the CPUs were not used")

    # ---- How long the lock is held ----

    def longest_hold(self, machine, line, name):
        """The most instructions for which the lock was held at once, while a program ran."""
        machine.command("lockstat on")
        self.run_program(machine, line, name)
        machine.command("lockstat off")
        return int(re.search(r"held for (\d+) ticks at most", machine.command("lockstat")).group(1))

    def test_no_call_holds_the_lock_for_long(self):
        self.assertGreater(len(KINDS), 10)
        machine = self.start_at_prompt(NO_HURRY)
        for kind in KINDS:
            with self.subTest(kind=kind):
                held = self.longest_hold(machine, "longcalls," + kind, "longcalls: " + kind)
                self.assertGreater(held, 1000)
                self.assertLess(held, BOUND_OF_FAULTS if kind == "faults" else BOUND)

    def test_the_same_on_several_cpus(self):
        for kind in KINDS:
            for cpus in () if kind in OF_ONE else (2, 4):
                with self.subTest(kind=kind, cpus=cpus):
                    self.run_on_many("longcalls," + kind, "longcalls: " + kind, cpus)

    # ---- Memory, slots and children ----

    def test_memory_and_slots_are_used_again(self):
        self.run_program(self.start_at_prompt(NO_HURRY), "reclaim", "reclaim")
        for cpus in (2, 4):
            self.run_on_many("reclaim", "reclaim", cpus)

    def test_children_of_one_that_ended(self):
        self.run_program(self.start_at_prompt(NO_HURRY), "abandoned", "abandoned")
        for cpus in (2, 4):
            self.run_on_many("abandoned", "abandoned", cpus)

    def test_kill_leaves_nothing(self):
        machine = self.start_at_prompt(cpus=2)
        self.assertIn(" 1 environments, balanced", machine.command("run longcalls,stay"))
        machine.command("kill")
        self.assertIn("audit: 5 pages, 0 environments, balanced", machine.command("audit"))

    # ---- Ids ----

    def test_ids_go_on(self):
        machine = self.boot(" ".join(["hello"] * len(IDS)), gdb=True)
        run_gdb(machine, "hbreak env_alloc", "continue",
                *("set var envs[%d].env_id = %d" % (slot, last) for slot, (last, _) in
                  enumerate(IDS)), "delete", "detach")
        output = machine.run_to_prompt()
        self.assert_in_order(output, [r"\[00000000\] new env %08x" % new for _, new in IDS])
        self.assert_lines(output, ["i am environment %08x" % new for _, new in IDS])
