"""The commands of tools/gdb with unusual and wrong arguments, and `jos trace`."""

import re

from tests.tools.test_gdbcommands import GdbTest


class ArgumentsTest(GdbTest):
    def test_before_the_kernel_has_a_page_directory(self):
        for cpus, out in self.each("hello", "hbreak i386_init", "continue", "jos pgdir",
                                   "jos pgdir kernel", "jos va 0 kernel", "jos page 0"):
            with self.subTest(cpus=cpus):
                self.assertTrue(out["jos pgdir"].startswith("Page directory of the kernel, at "))
                for command in ("jos pgdir kernel", "jos va 0 kernel", "jos page 0"):
                    self.assertIn("The kernel has not made its page directory yet", out[command])
                    self.assertNotIn("program", out[command])

    def test_locations(self):
        # GDB's own function for locations crashes with some of these, at once or later.
        wrong = {"if x": "'if x' is not a location", "if": "'if' is not a location",
                 "thread 1": "is not a location", '""': "'' is not a location",
                 ",": "',' is not a location", "*": "The address '': ",
                 "*(": "The address '(': A syntax error", "*nosuch": "The address 'nosuch': No sym",
                 "nosuch.c:4": "No source file named nosuch.c", "hello.c:9999": "No line 9999"}
        right = ("*umain", "*umain if 1", "*0x800020", "hello.c:umain", "hello.c:9")
        for cpus, out in self.each(
                "hello", "hbreak i386_init", "continue",
                *("jos break hello " + location for location in (*wrong, *right))):
            with self.subTest(cpus=cpus):
                for location, message in wrong.items():
                    self.assertIn(message, out["jos break hello " + location])
                for location in right:
                    self.assertRegex(out["jos break hello " + location],
                                     r"^Breakpoint \d+ at 0x008000?\w+, for program hello: \w+")

    def test_addresses(self):
        for cpus, out in self.each(
                "hello", "hbreak *0x7c00", "continue", "jos x16 0x7c00 3", "delete",
                "break env_run", " continue", " jos x16 0x7c00 3", "jos x16 0xdead0000 3",
                "jos x16 0x7c00 0", "jos va env_run", "p/x &env_run", "jos trapframe 4242",
                "jos trapframe 0x4242"):
            with self.subTest(cpus=cpus):
                # The kernel maps the boot sector above KERNBASE only.
                early, late = (re.findall(r"(\w+):\t(.*)", out[command])
                               for command in ("jos x16 0x7c00 3", " jos x16 0x7c00 3"))
                self.assertEqual(len(early), 3)
                self.assertEqual([(int(at, 16) + 0xf0000000, code) for at, code in early],
                                 [(int(at, 16), code) for at, code in late])
                self.assertEqual(out["jos x16 0xdead0000 3"],
                                 "Cannot access memory at address 0xdead0000")
                self.assertIn("The count must be from 1 to", out["jos x16 0x7c00 0"])
                address, = self.find(r"= 0x(\w+)$", out["p/x &env_run"])
                self.assertTrue(out["jos va env_run"].startswith(address + " = directory entry"))
                self.assertIn("There is no environment 00004242", out["jos trapframe 4242"])
                self.assertTrue(out["jos trapframe 0x4242"].startswith("Trap frame at 00004242"))


class PanicTest(GdbTest):
    may_panic = True

    def test_after_a_panic_with_a_damaged_environment(self):
        # The selftest makes the first slot runnable, which has no page directory.
        for cpus, out in self.each(
                "selftest=change_status_without_lock", "break monitor", "continue", "jos page 0",
                "jos envs", "jos pgdir 0", "jos cpus", "jos va 0xf0100000"):
            with self.subTest(cpus=cpus):
                self.assertIn("\n  mapped at f0000000 by the kernel: ", out["jos page 0"])
                self.assertRegex(out["jos envs"], r"\n00000000 +runnable ")
                self.assertIn("has no page directory", out["jos pgdir 0"])


class TraceTest(GdbTest):
    def test_the_last_events(self):
        for cpus, out in self.each(
                "trace faultalloc", "jos trace", "break env_destroy", "continue", " jos trace",
                "jos trace 5", "jos trace 1000000", "jos trace 0", "jos trace -1",
                "jos trace nosuch", "jos trace 1 2", "p/x curenv->env_id"):
            with self.subTest(cpus=cpus):
                self.assertIn("paging is off", out["jos trace"])
                for command, count in ((" jos trace", 20), ("jos trace 5", 5)):
                    self.assertEqual(len(self.rows(out[command])), count)
                rows = self.rows(out["jos trace 1000000"])
                self.assertEqual(rows[-5:], self.rows(out["jos trace 5"]))
                times = [int(row[0]) for row in rows]
                self.assertEqual((times, times[-1]), (sorted(times), 0))
                self.assertLessEqual({row[1] for row in rows}, {str(n) for n in range(cpus)})
                env = "%08x" % int(self.find(r"= 0x(\w+)$", out["p/x curenv->env_id"])[0], 16)
                self.assertIn("run " + env, [row[2] for row in rows])
                # A page fault in the program, and in the kernel
                self.assertRegex(out["jos trace 1000000"],
                                 r"enter 14 +0000\w{4} +[a-z]\w+\+0x\w+\n")
                self.assertRegex(out["jos trace 1000000"],
                                 r"fault 0xdeadbeef +0000\w{4} +page_fault_handler\+0x\w+\n")
                self.assertNotIn(".h:", out["jos trace 1000000"])  # The line of a probe
                for word in ("0", "-1"):
                    self.assertIn("The count must be from 1 to", out["jos trace " + word])
                self.assertIn("The count 'nosuch': No symbol", out["jos trace nosuch"])
                self.assertIn("Too many words", out["jos trace 1 2"])

    def rows(self, text):
        """The rows of a table of events: (ticks, CPU, event, environment, place)."""
        lines = text.splitlines()
        self.assertRegex(lines[0], r"^TICKS +CPU  EVENT +ENV +AT$")
        rows = [re.fullmatch(r"(-?\d+) +(\d+) +(\w+(?: \w+)*) +(-|\w{8})(?: +(\S.*))?", line)
                for line in lines[1:]]
        self.assertNotIn(None, rows, text)
        return [row.groups() for row in rows]

    def test_without_the_option(self):
        out, _ = self.gdb("hello", 1, "break env_run", "continue", "jos trace")
        self.assertIn("There is no trace yet. Start the kernel with the option trace", out[2])
