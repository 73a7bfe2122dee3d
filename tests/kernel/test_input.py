"""Input from the serial line and the keyboard: every key reaches the program or the line editor
that reads, in order."""

import re

from tests.support import TREE, KernelTest, run_gdb
from tools.build.elffile import read_elf

KERNBASE = 0xf0000000
CPU_COUNTS = (1, 4)

# The keyboard controller's status port, and its bit for a byte to read.
KBD_STATUS, KBD_STATUS_DATA = 0x64, 0x01

# In the BIOS data area: the key buffer's tail, the key buffer, the state of Shift and Caps Lock.
BIOS_KEYS_TAIL, BIOS_KEYS, BIOS_SHIFT_STATE, BIOS_CAPS_LOCK = 0x41c, 0x1e, 0x417, 0x40

BIOS_PREFIX, BIOS_PREFIX_E0 = 0xf0000496, 0x02

# From kern/dev/console.c: the size of the input buffer, and the serial line's share of it.
INPUT_SIZE, SERIAL_MAX = 1024, 768

# Ctrl-C and Ctrl-P are for the kernel, not for programs: test_breakin.py.
KERNEL_KEYS = (0x03, 0x10)

HOME, END, UP, DOWN, LEFT, RIGHT, PAGE_UP, PAGE_DOWN, INSERT, DELETE = range(0x1e0, 0x1ea)

# The keys of a keyboard with 104 keys, by QEMU's names: the character alone, and with Shift.
WORDS = {
    "spc": "  ", "minus": "-_", "equal": "=+", "bracket_left": "[{", "bracket_right": "]}",
    "backslash": "\\|", "semicolon": ";:", "apostrophe": "'\"", "grave_accent": "`~",
    "comma": ",<", "dot": ".>", "slash": "/?", "less": "<>", "asterisk": "**", "kp_multiply": "**",
    "kp_add": "++", "kp_subtract": "--", "kp_decimal": "..", "kp_divide": "//", "kp_enter": "\n\n",
    "esc": "\033\033", "backspace": "\b\b", "tab": "\t\t", "ret": "\n\n",
    **{"kp_%d" % i: str(i) * 2 for i in range(10)},
    **{str(i): "%d%s" % (i, ")!@#$%^&*("[i]) for i in range(10)},
    **{letter: letter + letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"},
}
CHARACTER_KEYS = {
    **{key: (ord(pair[0]), ord(pair[1])) for key, pair in WORDS.items()},
    **{key: (code, code) for key, code in {
        "home": HOME, "end": END, "up": UP, "down": DOWN, "left": LEFT, "right": RIGHT,
        "pgup": PAGE_UP, "pgdn": PAGE_DOWN, "insert": INSERT, "delete": DELETE}.items()},
}
OTHER_KEYS = ["shift", "shift_r", "ctrl", "ctrl_r", "alt", "alt_r", "meta_l", "meta_r", "menu",
              "print", "sysrq", "scroll_lock", "num_lock", "pause",
              *("f%d" % i for i in range(1, 13))]


def keys_read(output):
    """The codes that the program `keys` has read."""
    return [int(code, 16) for code in re.findall(r"\] key (\w+)\r?\n", output)]


class InputTest(KernelTest):
    """Common functions of the following tests."""

    def boot_reader(self, count, mode="", **options):
        """Boot user/console/keys.c, which reads `count` keys; wait until it reads."""
        machine = self.boot("keys,%d%s" % (count, mode), **options)
        machine.wait_for("keys: reading")
        return machine

    def assert_keys(self, machine, codes):
        """Wait for the prompt. The program must have read these codes."""
        self.assertEqual(keys_read(machine.run_to_prompt()), list(codes))

    def wait_for_keys(self, machine, count):
        """Wait until the program has read this number of keys."""
        machine.wait_until(lambda: len(keys_read(machine.output)) >= count, "%d keys" % count)

    def loop_at_place(self, machine, place, loop_at):
        """Run the machine to a place. There it executes an endless loop, which is written at
        address loop_at, until end_loop()."""
        run_gdb(machine, "hbreak " + place, "continue",
                "set {unsigned short}%#x = 0xfeeb" % loop_at, "set $pc = %#x" % loop_at, "detach")

    def end_loop(self, machine, place):
        """End the loop: continue at the place."""
        run_gdb(machine, "set $pc = " + place.lstrip("*"), "detach")


class SerialInputTest(InputTest):
    def check_every_byte(self, mode, cpus):
        codes = [code for code in range(256) if code not in KERNEL_KEYS]
        machine = self.boot_reader(len(codes) + 1, mode, cpus=cpus)
        machine.send(bytes(codes) + b"\0\0\xffq")  # NUL is no character.
        self.assert_keys(machine, [*codes[1:], 0xff, ord("q")])

    def test_sleeping_reader_gets_every_byte(self):
        for cpus in CPU_COUNTS:
            self.check_every_byte("", cpus)

    def test_polling_reader_gets_every_byte(self):
        for cpus in CPU_COUNTS:
            self.check_every_byte(",poll", cpus)

    def test_sleeping_reader_is_served_before_a_polling_one(self):
        readers = read_elf(self.kernel()).symbol("cons_readers").value - KERNBASE
        count = 20
        for cpus in CPU_COUNTS:
            machine = self.boot("keys,%d keys,3,poll" % count, cpus=cpus)
            machine.wait_for("keys: reading 3")
            for i in range(count):
                machine.wait_until(lambda: any(machine.physical_memory(readers, 4)),
                                   "a program to wait for a key")
                machine.send("s")
                self.wait_for_keys(machine, i + 1)
            machine.send("ppp")
            found = re.findall(r"\[0000100(\d)\] key (\w+)", machine.run_to_prompt())
            self.assertEqual(found, [("0", "073")] * count + [("1", "070")] * 3)

    def test_bytes_sent_before_the_kernel_runs_are_read(self):
        text = bytes(range(32, 92))
        for cpus in CPU_COUNTS:
            machine = self.boot("keys,60", cpus=cpus)
            machine.send(text)
            self.assert_keys(machine, text)

    def test_input_from_a_pipe_is_read_to_its_end(self):
        machine = self.boot("hello")
        machine.send("run keys,3\nabcshutdown\n")
        machine.end_input()
        machine.wait_for_end()
        self.assertEqual(keys_read(machine.output), [ord(c) for c in "abc"])

    def test_works_without_input(self):
        machine = self.boot("hello")
        machine.end_input()
        self.assertIn("hello, world", machine.run_to_prompt())

    def test_pasted_lines_are_all_read(self):
        count = 2000
        machine = self.boot("hello")
        machine.send("failalloc 0\n" * count + "shutdown\n")
        machine.wait_for_end()
        self.assertEqual(machine.output.count("K> failalloc 0\r\n"), count)

    def test_input_is_kept_until_a_program_reads(self):
        """A paste on the serial line leaves room in the input buffer for keys."""
        umain = read_elf(TREE.obj("user", "keys")).symbol("umain").value
        kernel_input = read_elf(self.kernel()).symbol("input").value - KERNBASE
        text, keys = b"0123456789" * 200, "abcdefghij" * 3
        machine = self.boot("keys,%d" % (len(text) + len(keys)), gdb=True)
        self.loop_at_place(machine, "*%#x" % umain, 0xeebfd100)

        def waiting():
            data = machine.physical_memory(kernel_input + 2 * INPUT_SIZE, 8)
            return int.from_bytes(data[4:], "little") - int.from_bytes(data[:4], "little")

        machine.send(text)
        machine.wait_until(lambda: waiting() == SERIAL_MAX, "the paste to fill its share")
        for i, key in enumerate(keys):
            machine.type_keys(key + " 1")
            machine.wait_until(lambda: waiting() == SERIAL_MAX + i + 1, "a key to arrive")
        self.end_loop(machine, "%#x" % umain)
        codes = keys_read(machine.run_to_prompt())
        self.assertEqual(bytes(c for c in codes if c < ord("a")), text)
        self.assertEqual("".join(chr(c) for c in codes if c >= ord("a")), keys)


class KeyboardTest(InputTest):
    def setUp(self):
        super().setUp()
        self.codes = []

    def press(self, machine, keys, *codes):
        """Press keys for a millisecond, and wait until the program has read these codes. If there
        are none, press x as well, to have a code to wait for."""
        machine.type_keys(keys + " 1")
        if not codes:
            machine.type_keys("x 1")
            codes = [ord("x")]
        self.codes += codes
        self.wait_for_keys(machine, len(self.codes))
        self.assertEqual(keys_read(machine.output), self.codes, "after " + keys)

    def set_key(self, machine, name, down):
        """Press a key down, or release it."""
        machine.qmp("input-send-event", events=[
            {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": name}}}])

    def test_each_key_sends_its_code(self):
        machine = self.boot_reader(1000)
        for key, (code, _) in CHARACTER_KEYS.items():
            self.press(machine, key, code)
        for key in OTHER_KEYS:
            self.press(machine, key)

    def test_each_key_with_shift_sends_its_code(self):
        machine = self.boot_reader(1000)
        for key, (_, code) in CHARACTER_KEYS.items():
            self.press(machine, "shift-" + key, code)

    def test_control_sends_control_characters(self):
        machine = self.boot_reader(1000)
        for key, (code, _) in CHARACTER_KEYS.items():
            if code & 0x1f in KERNEL_KEYS and chr(code) in "cp":
                continue
            if chr(code).isalpha() and code < 0x80 or chr(code) in "[\\]":
                self.press(machine, "ctrl-" + key, code & 0x1f)
            elif ord(" ") <= code <= ord("~"):
                self.press(machine, "ctrl-" + key)  # There is no control character for this key.
            elif key != "delete":
                self.press(machine, "ctrl-" + key, code)
        self.press(machine, "ctrl_r-a", 1)
        self.press(machine, "ctrl-shift-6", 0x1e)
        self.press(machine, "ctrl-shift-minus", 0x1f)

    def test_one_of_two_shift_keys_is_enough(self):
        machine = self.boot_reader(1000)
        for first, second in (("shift", "shift_r"), ("shift_r", "shift")):
            self.set_key(machine, first, True)
            self.set_key(machine, second, True)
            self.set_key(machine, second, False)
            self.press(machine, "a", ord("A"))
            self.set_key(machine, first, False)
            self.press(machine, "a", ord("a"))

    def test_held_caps_lock_switches_only_once(self):
        machine = self.boot_reader(1000)
        for _ in range(4):
            self.set_key(machine, "caps_lock", True)
        self.press(machine, "a", ord("A"))
        self.press(machine, "shift-a", ord("a"))
        self.press(machine, "1", ord("1"))
        self.set_key(machine, "caps_lock", False)
        self.press(machine, "caps_lock")
        self.press(machine, "a", ord("a"))

    def test_pause_between_other_keys_is_ignored(self):
        machine = self.boot_reader(1000)
        self.set_key(machine, "ctrl", True)
        self.press(machine, "a", 1)
        self.set_key(machine, "pause", True)
        self.set_key(machine, "pause", False)
        self.press(machine, "b", 2)
        self.set_key(machine, "ctrl", False)
        self.press(machine, "c", ord("c"))

    def test_keys_typed_while_the_bios_runs_are_read(self):
        machine = self.boot("keys,5", gdb=True)
        self.loop_at_place(machine, "*0x7c00", 0x500)
        machine.type_keys("h", "up", "ret", "ctrl-u", "caps_lock")
        machine.wait_until(
            lambda: machine.physical_memory(BIOS_KEYS_TAIL, 1)[0] == BIOS_KEYS + 2 * 4
            and machine.physical_memory(BIOS_SHIFT_STATE, 1)[0] == BIOS_CAPS_LOCK,
            "the BIOS to collect the keys")
        self.end_loop(machine, "*0x7c00")
        machine.wait_for("keys: reading")
        machine.type_keys("x")
        self.assert_keys(machine, [ord("h"), UP, ord("\n"), 0x15, ord("X")])

    def test_modifier_pressed_while_the_bios_runs_counts(self):
        for key, code in (("shift", "A"), ("shift_r", "A"), ("ctrl", "\1"), ("ctrl_r", "\1")):
            machine = self.boot("keys,2", gdb=True)
            self.loop_at_place(machine, "*0x7c00", 0x500)
            self.set_key(machine, key, True)
            machine.wait_until(lambda: any(machine.physical_memory(BIOS_SHIFT_STATE, 1)),
                               "the BIOS to see " + key)
            self.end_loop(machine, "*0x7c00")
            machine.wait_for("keys: reading")
            self.set_key(machine, "a", True)
            self.set_key(machine, key, False)
            self.set_key(machine, "b", True)
            self.assert_keys(machine, [ord(code), ord("b")])

    def test_prefix_read_by_the_bios_counts(self):
        machine = self.boot("keys,1", gdb=True)
        run_gdb(machine, "hbreak cons_init", "continue",
                "set {char}%#x = {char}%#x | %d" % (BIOS_PREFIX, BIOS_PREFIX, BIOS_PREFIX_E0),
                "detach")
        machine.wait_for("keys: reading")
        machine.type_keys("kp_8")  # Sends the same code as Up, but without the prefix
        self.assert_keys(machine, [UP])

    def test_keys_typed_with_interrupts_off_are_read(self):
        machine = self.boot("keys,3", gdb=True)
        self.loop_at_place(machine, "cons_init", 0xf0000500)
        machine.type_keys("a", "down", "b")
        machine.wait_until(lambda: machine.port(KBD_STATUS) & KBD_STATUS_DATA, "a key")
        self.end_loop(machine, "cons_init")
        self.assert_keys(machine, [ord("a"), DOWN, ord("b")])

    def test_control_alt_delete_resets(self):
        machine = self.boot_reader(1)
        machine.type_keys("ctrl-alt-delete")
        machine.wait_for_end()  # QEMU ends at a reset: -no-reboot
        self.assertEqual(keys_read(machine.output), [])


class LineTest(InputTest):
    """The line editor in a program and in the monitor."""

    def check_lines(self, data, lines):
        machine = self.boot("lines,%d" % len(lines))
        machine.wait_for("line: ")
        machine.send(data)
        output = machine.run_to_prompt().replace("\r", "")
        self.assertEqual(re.findall(r"(?m)^lines: \d+ characters: '(.*)'$", output), lines)
        self.assertNotIn("There is no command", output)

    def test_cr_lf_and_lf_cr_end_one_line(self):
        self.check_lines("a\nb\rc\r\nd\n\re\n\nf\r\rg\r\n\r\nh\n\r\n\ri\n",
                         ["a", "b", "c", "d", "e", "", "f", "", "g", "", "h", "", "i"])

    def test_program_does_not_read_the_end_of_its_run_line(self):
        machine = self.boot("hello")
        machine.send("run lines,2 hello\r\nabc\r\n\r\nrun keys,3\r\n\n\r\na\r\n\nhelp\r\n")
        machine.wait_for(r"kerninfo - [^\n]*\n(?s:.*)K> \Z")
        self.assertIn("command 'a'.\r\nK> \r\nK> help", machine.output)
        self.assertEqual(re.findall(r"(\d) characters", machine.output), ["3", "0"])
        self.assertEqual(keys_read(machine.output), [0x0a, 0x0d, 0x0a])

    def test_escape_without_a_sequence_is_ignored(self):
        self.check_lines("\033\n\033\r\033a\033\033b\n\033[\n\033O\n\033Old\n\033[1\033x\n"
                         "\033\177c\n",
                         ["", "", "ab", "[", "O", "Old", "[1x", "c"])

    def test_unknown_escape_sequences_are_ignored(self):
        for sequence in ("[15~", "[1;2P", "OP", "[[A", "[Z", "[200~", "[5~", "[2;5~", "[24;80R",
                         "[?1;2c", "[99999999~", "[I"):
            self.check_lines("ab\033%scd\n" % sequence, ["abcd"])
        self.check_lines("bd\033[D\033ODa\033[1;5Cc\033[Fe\033[1~x\033[3~\033OHy\n",
                         ["yxbcde"])

    def test_monitor_survives_every_byte(self):
        machine = self.boot("hello")
        machine.run_to_prompt()
        high = bytes(range(128, 256))
        machine.send(bytes(range(32)) + b"\n" + high + b"\n\x15\n")
        machine.send("help\n")
        machine.wait_for(r"kerninfo - [^\n]*\n(?s:.*)K> \Z")
        self.assertIn("There is no command '%s'." % high.decode("utf-8", "replace"), machine.output)

    def test_utf_8_characters_are_edited_whole(self):
        self.check_lines("na\u00efve\033[D\033[D\033[D\177u\033[C\033[3~c\u20ac\U0001d11e\177\n",
                         ["nu\u00efc\u20ace"])

    def test_utf_8_inside_a_line_is_shown_whole(self):
        machine = self.boot("lines")
        machine.wait_for("line: ")
        machine.send("ab\033[D\u00e9\n")
        shown = machine.run_to_prompt().split("line: ")[1].split("lines:")[0]
        self.assertIn("\u00e9b", shown)

    def test_line_too_long_is_cut(self):
        machine = self.boot("lines,2")
        machine.wait_for("line: ")
        machine.send("x" * 1023 + "run hello\nshort\n")
        output = machine.run_to_prompt().replace("\r", "")
        self.assert_lines(output, ["The line is too long: 9 characters of it are left out.",
                                   "lines: 1023 characters: '%s'" % ("x" * 1023),
                                   "lines: 5 characters: 'short'"])
        self.assertEqual(output.count("too long"), 1)
        self.assertNotIn("hello, world", output)

    def test_longest_line_is_kept(self):
        machine = self.boot("lines")
        machine.wait_for("line: ")
        machine.send("x" * 1023 + "\n")
        output = machine.run_to_prompt()
        self.assertIn("lines: 1023 characters", output)
        self.assertNotIn("too long", output)

    def test_program_sleeps_until_a_key_comes(self):
        readers = read_elf(self.kernel()).symbol("cons_readers").value - KERNBASE
        for cpus in CPU_COUNTS:
            machine = self.boot("lines", cpus=cpus)
            machine.wait_for("line: ")
            machine.wait_until(lambda: any(machine.physical_memory(readers, 4)),
                               "the program to wait for a key")
            machine.send("abc\n")
            self.assertIn("lines: 3 characters: 'abc'", machine.run_to_prompt())

    def test_escape_key_is_ignored(self):
        machine = self.boot("hello")
        machine.run_to_prompt()
        machine.type_keys("esc", "h", "esc", "esc", "e", "l", "p", "esc", "ret")
        machine.wait_for(r"kerninfo - [^\n]*\n(?s:.*)K> \Z")
