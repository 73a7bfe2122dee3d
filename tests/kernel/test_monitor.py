"""The kernel's monitor: its commands, its line editor, the keyboard and the screen."""

import re
import subprocess

from tests.support import TREE, KernelTest, run_gdb
from tools.build.elffile import read_elf
from tools.run.machine import SCREEN_COLUMNS, SCREEN_ROWS

LEFT, RIGHT, UP, DOWN = "\033[D", "\033[C", "\033[A", "\033[B"
BACKSPACE, HOME, END, DELETE = "\177", "\033[H", "\033[F", "\033[3~"


class MonitorTest(KernelTest):
    def setUp(self):
        super().setUp()
        self.machine = self.boot("")
        self.machine.run_to_prompt()

    def run_line(self, text):
        """Type a line that is no command. Returns the command that the monitor read."""
        answer = self.machine.command(text)
        found = re.search(r"(?m)^There is no command '(.*)'\.$", answer)
        self.assertTrue(found, answer)
        return found.group(1)

    # ---- Commands ----

    def test_help_lists_commands(self):
        answer = self.machine.command("help")
        self.assert_lines(answer, ["help - .+", "kerninfo - .+", r"backtrace \[ENV\] - .+"])

    def test_kerninfo_shows_the_sections(self):
        kernel = read_elf(self.kernel())
        answer = self.machine.command("kerninfo")
        self.assertIn("The kernel's sections:\n", answer)
        for name in ("entry", "etext", "edata", "end"):
            address = kernel.symbol(name).value
            self.assertRegex(answer, r"(?m)^  %s +%08x \(virt\)  %08x \(phys\)$"
                             % (name, address, address - 0xf0000000))
        self.assertRegex(answer, r"(?m)^It takes \d+K of memory\.$")

    def test_backtrace_agrees_with_addr2line(self):
        answer = self.machine.command("backtrace")
        frames = re.findall(r"(?m)^  ebp (ef......) eip (f0......) args(?: [0-9a-f]{8}){5}\n"
                            r"        (\S+):(\d+): (\w+)\+(\d+)$", answer)
        lines = [line for line in answer.split("\n") if line.startswith("  ebp")]
        self.assertEqual(len(frames), len(lines), answer)
        self.assertGreater(len(frames), 3)
        self.assertEqual(frames[-1][2], "kern/entry.S")

        functions = {s.name: s.value for s in read_elf(self.kernel()).symbols()}
        for _, eip, file, line, function, offset in frames:
            self.assertEqual(int(eip, 16) - functions[function], int(offset))
            self.assert_place(int(eip, 16) - 1, file, line)

    def assert_place(self, address, file, line):
        answer = subprocess.run(["addr2line", "-e", self.kernel(), "%#x" % address],
                                stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
        self.assertRegex(answer, r"(^|/)%s:%s( |$)" % (re.escape(file), line))

    def test_continue_without_a_breakpoint_is_refused(self):
        self.assertIn("nothing to continue", self.machine.command("continue"))

    def test_unknown_command_is_named(self):
        self.assertEqual(self.run_line("frobnicate"), "frobnicate")

    def test_blank_lines_are_ignored(self):
        for text in ("", "   ", "\t"):
            answer = self.machine.command(text)
            self.assertNotIn("There is no command", answer)

    def test_too_many_words_are_refused(self):
        self.assertRegex(self.machine.command("help " * 20), r"words are too many")
        self.assertIn("kerninfo - ", self.machine.command("help"))

    def test_15_words_are_accepted(self):
        answer = self.machine.command("run" + " nonsense" * 14)
        self.assertEqual(answer.count("No program is called 'nonsense'"), 14)
        answer = self.machine.command("run" + " nonsense" * 15)
        self.assertIn("More than 15 words are too many.\n", answer)
        self.assertNotIn("No program", answer)

    def test_needless_arguments_are_refused(self):
        for name in ("help", "kerninfo", "envs", "cpus", "programs", "step", "audit", "shutdown",
                     "continue"):
            answer = self.machine.command(name + "  now\t")
            self.assertEqual(answer.split("\n")[1:-1], ["'%s' takes no arguments." % name])

    def test_programs_are_listed_by_folder(self):
        answer = self.machine.command("programs")
        lists = re.findall(r"(?m)^(user\S*):\n((?:.*[^:]\n)+)", answer)
        self.assertEqual("programs\n" + "".join("%s:\n%s" % pair for pair in lists) + "K> ", answer)
        listed = {}
        for folder, names in lists:
            listed.update((name, folder + "/" + name + ".c") for name in names.split())
            lines = names.splitlines()
            self.assertLess(max(len(line) for line in lines), SCREEN_COLUMNS)
            starts = {found.start() for line in lines for found in re.finditer(r"\S+", line)}
            self.assertEqual(len(starts), max(len(line.split()) for line in lines))
        self.assertEqual(listed, TREE.programs())
        # The lab's programs come first, in several columns.
        folder, names = lists[0]
        self.assertEqual(folder, "user")
        self.assertIn("hello", names.split())
        self.assertLess(len(names.splitlines()), len(names.split()))

    def test_run_passes_up_to_7_arguments(self):
        answer = self.machine.command("run args,1,2,3,4,5,6,7 hello")
        self.assert_lines(answer, ["args: 7 is '7'", "hello, world"])
        self.assertNotIn("only the first", answer)
        answer = self.machine.command("run args,1,2,3,4,5,6,7,8,9,10")
        self.assert_lines(answer, [
            "args: 7 is '7'",
            "'args,1,2,3,4,5,6,7,8,9,10' has 10 arguments: only the first 7 are passed"])

    def test_run_names_an_unknown_program(self):
        answer = self.machine.command("run")
        self.assertIn("Usage: run ", answer)
        answer = self.machine.command("run hello, nonsense hello")
        self.assertIn("No program is called 'nonsense'.", answer)
        self.assertEqual(answer.count("hello, world"), 2)

    def check_shutdown(self, machine):
        machine.run_to_prompt()
        machine.send("shutdown\n")
        machine.wait_for_end()
        self.assertNotIn("cannot be switched off", machine.output)

    def test_shutdown_switches_off(self):
        self.check_shutdown(self.machine)
        self.check_shutdown(self.boot("hello", cpus=4))
        self.check_shutdown(self.start(args=["-machine", "q35", "-kernel", self.kernel()]))
        machine = self.boot("breakpoint")
        self.check_shutdown(machine)

    def test_shutdown_waits_before_it_gives_up(self):
        machine = self.boot("hello", args=["-machine", "pc,acpi=off"], gdb=True)
        machine.send("shutdown\n")
        said = run_gdb(machine, "hbreak mon_shutdown", "continue", "hbreak udelay", "ignore 2 98",
                       "continue", "backtrace 2", "detach")
        self.assertRegex(said, r"#0 .*udelay .*\n#1 .*mon_shutdown ")
        machine.wait_for("cannot be switched off")

    def test_shutdown_without_acpi_is_refused(self):
        machine = self.boot("hello", args=["-machine", "pc,acpi=off"])
        self.assertIn("\nThis machine cannot be switched off from here.\n",
                      machine.command("shutdown"))

    # ---- The line editor ----

    def test_backspace_erases(self):
        self.assertEqual(self.run_line("abx" + BACKSPACE + "c"), "abc")
        self.assertEqual(self.run_line("abx\bc"), "abc")
        self.assertEqual(self.run_line(BACKSPACE * 3 + "abc"), "abc")

    def test_arrows_move_the_cursor(self):
        self.assertEqual(self.run_line("ad" + LEFT + "bc"), "abcd")
        self.assertEqual(self.run_line("bc" + LEFT * 9 + "a" + RIGHT * 9 + "d"), "abcd")
        self.assertEqual(self.run_line("axbc" + LEFT * 2 + BACKSPACE), "abc")

    def test_home_end_and_delete(self):
        self.assertEqual(self.run_line("xbc" + HOME + DELETE + "a" + END + "d"), "abcd")
        self.assertEqual(self.run_line("bc\x01a\x05d"), "abcd")
        self.assertEqual(self.run_line("nonsense\x15abc"), "abc")

    def test_history_shows_earlier_lines(self):
        self.assertEqual(self.run_line("first"), "first")
        self.assertEqual(self.run_line("second"), "second")
        self.assertEqual(self.run_line(UP), "second")
        self.assertEqual(self.run_line(UP + UP), "first")
        self.assertEqual(self.run_line("new" + UP + DOWN), "new")

    def test_very_long_line_is_cut(self):
        self.assertRegex(self.run_line("x" * 3000), "^x{1000,1100}$")
        self.assertEqual(self.run_line("abc"), "abc")

    def test_bytes_that_are_not_text_are_ignored(self):
        self.machine.command("\x00\x02\x1b\x1b[\x1b[999999999999~\x1b[x\x7f\u00ff")
        self.assertEqual(self.run_line("abc"), "abc")

    def test_control_c_abandons_the_line(self):
        self.machine.send("abc\003")
        self.machine.wait_for(r"abc\^C\r?\nK> \Z")
        self.assertEqual(self.run_line("def"), "def")

    # ---- Keyboard and screen ----

    def test_keyboard_enters_a_command(self):
        self.machine.type_keys("h", "e", "l", "p", "ret")
        self.machine.wait_for(r"kerninfo - [^\n]*\n(?s:.*)K> \Z")

    def test_keyboard_shift_and_backspace(self):
        self.machine.type_keys("shift-a", "b", "1", "shift-1", "x", "backspace", "minus", "ret")
        self.machine.wait_for(r"There is no command 'Ab1!-'")

    def test_keyboard_arrows(self):
        self.machine.type_keys("b", "left", "a", "right", "c", "home", "x", "delete", "end", "d",
                               "ret")
        self.machine.wait_for(r"There is no command 'x?[abcd]*'")
        self.assertIn("There is no command 'xbcd'", self.machine.output)

    def test_keyboard_caps_lock_and_control(self):
        self.machine.type_keys("caps_lock", "a", "shift-b", "caps_lock", "c", "ret")
        self.machine.wait_for(r"There is no command 'Abc'")
        self.machine.type_keys("n", "o", "ctrl-u", "y", "ret")
        self.machine.wait_for(r"There is no command 'y'")

    def test_keyboard_and_serial_line_together(self):
        self.machine.type_keys("a", "b")
        self.machine.wait_for(r"K> ab\Z")
        self.machine.send("cd\n")
        self.machine.wait_for("There is no command 'abcd'")

    def assert_screen_shows_the_end(self):
        """The screen must show the end of the output on the serial line."""
        rows = []
        for line in self.machine.output.replace("\r", "").split("\n"):
            rows += [line[i:i + SCREEN_COLUMNS].rstrip()
                     for i in range(0, max(len(line), 1), SCREEN_COLUMNS)]
        wanted = "\n".join(rows[-SCREEN_ROWS:]).rstrip()
        self.assertEqual(self.machine.screen(), wanted)

    def test_screen_scrolls(self):
        for _ in range(8):
            self.machine.command("kerninfo")
        self.assert_screen_shows_the_end()

    def test_screen_wraps_long_lines(self):
        self.machine.command("x" * 200)
        self.machine.command("help")
        self.assert_screen_shows_the_end()

    def test_screen_shows_the_edited_line(self):
        self.machine.send("abxx" + BACKSPACE * 2 + "d" + LEFT + "c")
        self.assertRegex(self.machine.wait_for_screen(r"K> abcd$"), r"K> abcd$")


class KernelSymbolsTest(KernelTest):
    def test_symbol_table_fits_the_kernel(self):
        """ksymtab.py makes the same table, obj/kern/ksymtab.S, from the final kernel."""
        done = subprocess.run(["python3", TREE.path("tools/build/ksymtab.py"), "--verify",
                               TREE.obj("kern", "ksymtab.S"), self.kernel()], cwd=TREE.root,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
