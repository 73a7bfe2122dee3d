"""lib/readline.c, compiled for the host. After each key, a model of the screen must show the text
and the cursor of a model of the line editor."""

import ctypes
import unittest

from tests.host.libc import LibraryTest


class Terminal:
    """A model of a screen: a serial terminal and the CGA console show the same."""

    def __init__(self):
        self.lines = [[]]
        self.column = 0
        self.beeps = 0

    def show(self, output):
        for byte in output:
            char = chr(byte)
            if char == "\b":
                assert self.column > 0, "moved beyond the start of the line"
                self.column -= 1
            elif char == "\n":
                self.lines.append([])
                self.column = 0
            elif char == "\a":
                self.beeps += 1
            else:
                assert " " <= char <= "~", "control character %#x" % byte
                line = self.lines[-1]
                line[self.column:self.column + 1] = [char]
                self.column += 1

    def line(self, number=-1):
        return "".join(self.lines[number]).rstrip(" ")


HOME, END, UP, DOWN, LEFT, RIGHT, DELETE = ("home", "end", "up", "down", "left", "right",
                                            "delete")
# The codes of each key: bytes, as characters of the same value, or a key of inc/kbdreg.h.
KEYS = {
    HOME: ["\u01e0", "\x01", "\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~"],
    END: ["\u01e1", "\x05", "\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~"],
    UP: ["\u01e2", "\x1b[A", "\x1bOA"],
    DOWN: ["\u01e3", "\x1b[B", "\x1bOB"],
    LEFT: ["\u01e4", "\x02", "\x1b[D", "\x1bOD"],
    RIGHT: ["\u01e5", "\x06", "\x1b[C", "\x1bOC", "\x1b[1;5C"],
    DELETE: ["\u01e9", "\x1b[3~"],
    "backspace": ["\b", "\x7f"],
    "kill": ["\x0b"], "discard": ["\x15"], "word": ["\x17"],
    # Keys that do nothing
    "nothing": ["\u01e6", "\u01e7", "\u01e8", "\x1b[2~", "\x1b[15~", "\x1b[5;2~", "\x1b[Z",
                "\x1bOP", "\x1b[200~", "\x1b[[A", "\x00", "\x04"],
}


class Editor:
    """A model of readline: the text, the cursor and the history after each key."""

    HISTORY = 8
    SIZE = 1023

    def __init__(self):
        self.history = []
        self.start()

    def start(self):
        self.text, self.cursor, self.beeps, self.refused = "", 0, 0, 0
        self.shown, self.draft = len(self.history), ""

    def browse(self, number):
        oldest = max(0, len(self.history) - self.HISTORY)
        if not oldest <= number <= len(self.history):
            self.beeps += 1
            return
        if self.shown == len(self.history):
            self.draft = self.text
        self.shown = number
        self.text = (self.history + [self.draft])[number]
        self.cursor = len(self.text)

    def key(self, name):
        text, at = self.text, self.cursor
        if len(name) == 1:
            if len(text) == self.SIZE:
                self.beeps += 1
                self.refused += 1
            else:
                self.text, self.cursor = text[:at] + name + text[at:], at + 1
        elif name == HOME:
            self.cursor = 0
        elif name == END:
            self.cursor = len(text)
        elif name == LEFT:
            self.cursor = max(0, at - 1)
        elif name == RIGHT:
            self.cursor = min(len(text), at + 1)
        elif name in (UP, DOWN):
            self.browse(self.shown + (1 if name == DOWN else -1))
        elif name == DELETE:
            self.text = text[:at] + text[at + 1:]
        elif name == "backspace" and at:
            self.text, self.cursor = text[:at - 1] + text[at:], at - 1
        elif name == "kill":
            self.text = text[:at]
        elif name == "discard":
            self.text, self.cursor = text[at:], 0
        elif name == "word":
            start = text[:at].rstrip(" ").rfind(" ") + 1
            self.text, self.cursor = text[:start] + text[at:], start

    def enter(self):
        if self.text and (not self.history or self.history[-1] != self.text):
            self.history.append(self.text)
        return self.text


class ReadlineTest(LibraryTest):
    PROMPT = "K> "
    last_end = None  # The key that ended the last line: readline remembers it, too.

    def readline(self, typed, prompt=PROMPT.encode(), console=True):
        """Type keys. Returns readline's result and all that it printed."""
        keys = (ctypes.c_uint16 * len(typed))(*map(ord, typed))
        self.jos.stub_script(keys, len(typed), int(console))
        readline = self.function("readline", ctypes.c_char_p, ctypes.c_char_p)
        result = readline(prompt)
        length = ctypes.c_uint.in_dll(self.jos, "stub_output_length").value
        output = (ctypes.c_ubyte * length).in_dll(self.jos, "stub_output")
        if result is not None:
            self.last_end = typed[-1]
        return result, bytes(output)

    def mark(self, byte):
        """The length of the output when readline read this byte of the input."""
        return (ctypes.c_uint * (byte + 1)).in_dll(self.jos, "stub_marks")[byte]

    def edit(self, editor, names, end="\r"):
        """Press keys. After each key, the screen must show the editor's text and cursor."""
        editor.start()
        presses = [self.random.choice(KEYS[name]) if name in KEYS else name for name in names]
        if not presses and {end, self.last_end} == {"\r", "\n"}:
            end = self.last_end  # Else readline takes it as the second half of CR LF.
        result, output = self.readline("".join(presses) + end)
        terminal, shown, byte = Terminal(), 0, 0
        for press, name in zip([""] + presses, [None] + list(names)):
            byte += len(press)
            if name:
                editor.key(name)
            mark = self.mark(byte)
            terminal.show(output[shown:mark])
            shown = mark
            self.assertEqual(terminal.line(), (self.PROMPT + editor.text).rstrip(" "), names)
            self.assertEqual(terminal.column, len(self.PROMPT) + editor.cursor, names)
            self.assertEqual(terminal.beeps, editor.beeps, names)
        terminal.show(output[shown:])
        self.assertEqual((len(terminal.lines), terminal.column), (3 if editor.refused else 2, 0))
        if editor.refused:
            self.assertEqual(terminal.line(1), "The line is too long: %d characters of it are left"
                                               " out." % editor.refused)
        self.assertEqual(terminal.line(0), (self.PROMPT + editor.text).rstrip(" "))
        self.assertEqual(result, editor.enter().encode())

    def test_line_is_returned_and_echoed(self):
        self.assertEqual(self.readline("help\r"), (b"help", b"K> help\n"))
        self.assertEqual(self.readline("help\n"), (b"help", b"K> help\n"))
        self.assertEqual(self.readline("\n", None), (b"", b"\n"))
        self.assertEqual(self.readline("a\tb\r"), (b"a b", b"K> a b\n"))
        self.assertEqual(self.readline("x\r", b"%s%d"), (b"x", b"%s%dx\n"))

    def test_cr_lf_and_lf_cr_end_one_line(self):
        for first, second in ("\r\n", "\n\r"):
            self.assertEqual(self.readline("a" + first)[0], b"a")
            self.assertEqual(self.readline(second + "b" + first), (b"b", b"K> b\n"))
            self.assertEqual(self.readline(second + first), (b"", b"K> \n"))

    def test_escape_without_a_sequence_is_ignored(self):
        for typed in ("\x1bx", "\x1bOx", "\x1b" + "[" + "9" * 20 + "~", "\x1b\x1bx", "a\x1b\bx"):
            text = typed.replace("\x1b", "").replace("a\b", "")
            self.assertEqual(self.readline(typed + "\r")[0], text.encode(), typed)

    def test_end_of_input_returns_null(self):
        for typed in ("", "abc", "abc\x1b", "abc\x1b[", "abc\x1b[3"):
            self.assertIsNone(self.readline(typed)[0])

    def test_only_the_console_gets_an_echo(self):
        self.assertEqual(self.readline("ab\b\x01c\r", None, False), (b"ca", b""))

    def test_control_c_abandons_the_line(self):
        self.assertEqual(self.readline("abc\x01\x03"), (b"", b"K> abc\b\b\babc^C\n"))
        self.assertEqual(self.readline("\u01e2\r")[0], b"", "the abandoned line is in the history")

    def test_each_code_of_each_key(self):
        editor = Editor()
        for name, codes in KEYS.items():
            for _ in codes * 3:
                self.edit(editor, list("ab cd") + [LEFT, LEFT, name, "x", name, name])

    def test_full_line_refuses_more_characters(self):
        editor = Editor()
        keys = list("0123456789" * 103)
        self.edit(editor, keys + [LEFT, "a", "backspace", "b", "c", HOME, "d", DELETE, "e", "f"])
        self.assertEqual(len(editor.text), 1023)
        self.edit(editor, [UP, "x", DOWN, UP, "backspace", "y", "z"])

    def test_history_keeps_the_last_lines(self):
        editor = Editor()
        self.edit(editor, [UP, DOWN, UP])
        for number in range(12):
            self.edit(editor, list("line %d" % number) + [UP] * (number % 10) + [DOWN] * 12)
            self.edit(editor, list("draft") + [UP] * 12 + ["!", UP, DOWN, DOWN])
        self.edit(editor, list("twice"))
        self.edit(editor, list("twice"))
        self.edit(editor, [])
        self.edit(editor, [UP, UP, "?"])

    # ---- Completion, and Ctrl-P ----

    def offer(self, candidates):
        """Give readline these candidates: a function, line before the word -> words."""
        @ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint, ctypes.c_uint)
        def candidate(line, word, n):
            words = candidates(line[:word])
            return words[n] if n < len(words) else None

        self.candidate = candidate  # Must not be freed.
        ctypes.c_void_p.in_dll(self.jos, "jos_readline_candidate").value = \
            ctypes.cast(candidate, ctypes.c_void_p).value

    def shown(self, output):
        terminal = Terminal()
        terminal.show(output)
        return [terminal.line(i) for i in range(len(terminal.lines))]

    def test_tab_completes_a_word(self):
        self.offer(lambda before: [b"help", b"hello", b"run"] if not before.strip() else [])
        for typed, line, shown in (
                ("r\t", b"run ", "K> run"), ("he\tp\t", b"help ", "K> help"),
                ("he\tl\tx", b"hello x", "K> hello x"), ("x\t", b"x ", "K> x"),
                ("run\ta\tb", b"run a b", "K> run a b"), (" r\t", b" run ", "K>  run"),
                ("ux\x01r\t", b"run ux", "K> run ux"), ("h\t", b"hel", "K> hel")):
            result, output = self.readline(typed + "\r")
            self.assertEqual(result, line, typed)
            self.assertEqual(self.shown(output), [shown, ""], typed)

    def test_second_tab_lists_the_candidates(self):
        self.offer(lambda before: [b"help", b"hello", b"run"])
        result, output = self.readline("h\t\tp\r")
        self.assertEqual((result, self.shown(output)),
                         (b"help", ["K> hel", "help   hello", "K> help", ""]))
        # The cursor stays where it was.
        result, output = self.readline("x\x01he\t\tp\r")
        self.assertEqual((result, self.shown(output)),
                         (b"helpx", ["K> helx", "help   hello", "K> helpx", ""]))
        result, output = self.readline("\t\r")
        self.assertEqual(self.shown(output), ["K>", "help   hello  run", "K>", ""])

    def test_long_lists_fit_on_the_screen(self):
        words = [b"word%d" % i for i in range(100)]
        self.offer(lambda before: words)
        lines = self.shown(self.readline("w\t\t\r")[1])
        self.assertLess(max(map(len, lines)), 80)
        self.assertEqual(" ".join(lines[1:-2]).encode().split(), words)

    def test_control_p_shows_something_above_the_line(self):
        self.assertEqual(self.readline("a\x10b\r"), (b"ab", b"K> ab\n"))  # Nothing to show
        calls = []
        show = ctypes.CFUNCTYPE(None)(lambda: calls.append(1))
        ctypes.c_void_p.in_dll(self.jos, "jos_readline_show").value = \
            ctypes.cast(show, ctypes.c_void_p).value
        result, output = self.readline("ab\x02\x10c\r")
        self.assertEqual((result, len(calls)), (b"acb", 1))
        self.assertEqual(self.shown(output), ["K> ab", "K> acb", ""])

    def test_random_keys(self):
        editor = Editor()
        names = [name for name in KEYS] + list("ab  ")
        for _ in range(400):
            self.edit(editor, self.random.choices(names + list("abcd ") * 4,
                                                  k=self.random.randrange(60)),
                      self.random.choice("\r\n"))


if __name__ == "__main__":
    unittest.main()
