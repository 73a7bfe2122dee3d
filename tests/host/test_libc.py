"""The parts of lib/ that need no kernel, compiled for this machine and driven from Python.

string.c, printfmt.c, div64.c and readline.c become a shared library whose names all have the
prefix jos_. Its results are compared with Python's or the C library's, over the edges and over
random cases. JOS_TEST_SEED=n repeats a run; the seed is printed.
"""

import ctypes
import faulthandler
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = ["string", "printfmt", "div64", "readline"]
SEED = int(os.environ.get("JOS_TEST_SEED", random.SystemRandom().randrange(1 << 32)))

LIBC = ctypes.CDLL(None)
U64 = (1 << 64) - 1

directory = None


def run(*command):
    """Run a tool of the build; its complaints become ours."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True)
    if done.returncode:
        raise RuntimeError("%s failed:\n%s" % (command[0], done.stdout))


def setUpModule():
    global directory
    faulthandler.enable()  # A test that crashes the library is named
    directory = tempfile.mkdtemp(prefix="jos-libc-")
    compiler = os.environ.get("HOST_CC", "gcc")
    objects = []
    for name in SOURCES:
        objects.append(os.path.join(directory, name + ".o"))
        run(compiler, "-O2", "-fPIC", "-fno-stack-protector", "-ffreestanding", "-fno-builtin",
            "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error", "-Wall", "-Wextra",
            "-Werror", "-I.", "-DJOS_HOST_TEST", "-c", "-o", objects[-1], "lib/%s.c" % name)
        run("objcopy", "--prefix-symbols=jos_", objects[-1])
    run(compiler, "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror",
        "-o", os.path.join(directory, "libjos.so"), "tests/host/libc_stubs.c", *objects)
    print("tests/host/test_libc.py: JOS_TEST_SEED=%d" % SEED, file=sys.stderr)


def tearDownModule():
    shutil.rmtree(directory)


def load():
    """A copy of the library with its variables as at the start."""
    handle, path = tempfile.mkstemp(suffix=".so", dir=directory)
    os.close(handle)
    shutil.copy(os.path.join(directory, "libjos.so"), path)
    return ctypes.CDLL(path)


class LibraryTest(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        self.jos = load()

    def function(self, name, restype, *argtypes):
        found = getattr(self.jos, "jos_" + name)
        found.restype = restype
        found.argtypes = argtypes
        return found


class Memory(LibraryTest):
    SIZE = 64

    def places(self):
        """Every small length at every alignment, then some larger ones."""
        for length in range(20):
            for at in range(8):
                yield at, length
        for _ in range(200):
            at = self.random.randrange(self.SIZE)
            yield at, self.random.randrange(self.SIZE - at + 1)

    def test_memset(self):
        memset = self.function("memset", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int,
                               ctypes.c_size_t)
        for at, length in self.places():
            for value in (0, 0xA5, -1, 0x1234):
                buf = ctypes.create_string_buffer(b"." * self.SIZE, self.SIZE)
                dst = ctypes.addressof(buf) + at
                self.assertEqual(memset(dst, value, length), dst)
                expected = b"." * at + bytes([value & 0xFF]) * length
                self.assertEqual(buf.raw, expected + b"." * (self.SIZE - at - length))

    def moves(self, name, pairs):
        move = self.function(name, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p,
                             ctypes.c_size_t)
        original = bytes(range(1, self.SIZE + 1))
        for to, source, length in pairs:
            buf = ctypes.create_string_buffer(original, self.SIZE)
            base = ctypes.addressof(buf)
            self.assertEqual(move(base + to, base + source, length), base + to)
            expected = bytearray(original)
            expected[to:to + length] = original[source:source + length]
            self.assertEqual(buf.raw, bytes(expected), (name, to, source, length))

    def test_memcpy(self):
        self.moves("memcpy", [(to, 32 + source, length) for length in range(20)
                              for to in range(4) for source in range(4)])

    def test_memmove(self):
        pairs = [(to, source, length) for length in range(24)
                 for to in range(12) for source in range(12)]
        for _ in range(500):
            to, source = self.random.randrange(self.SIZE), self.random.randrange(self.SIZE)
            pairs.append((to, source, self.random.randrange(self.SIZE - max(to, source) + 1)))
        self.moves("memmove", pairs)

    def test_direction_flag(self):
        buf = ctypes.create_string_buffer(64)
        base = ctypes.addressof(buf)
        move = self.jos.stub_direction_after_memmove
        move.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
        for length in (0, 1, 4, 7, 20):
            self.assertEqual(move(base + 3, base, length), 0)
            self.assertEqual(move(base, base + 3, length), 0)

    def test_memcmp_memfind(self):
        memcmp = self.function("memcmp", ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p,
                               ctypes.c_size_t)
        memfind = self.function("memfind", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int,
                                ctypes.c_size_t)
        for _ in range(2000):
            length = self.random.randrange(6)
            one, two = (bytes(self.random.choice((0, 1, 0x7F, 0x80, 0xFF))
                              for _ in range(length)) for _ in range(2))
            sign = (one > two) - (one < two)
            got = memcmp(one, two, length)
            self.assertEqual((got > 0) - (got < 0), sign, (one, two))
            buf = ctypes.create_string_buffer(one, length + 1)
            base = ctypes.addressof(buf)
            at = one.find(b"\xFF")
            for wanted in (0xFF, -1, 0x1FF):
                self.assertEqual(memfind(base, wanted, length) - base, at if at >= 0 else length)


class Strings(LibraryTest):
    def words(self, count=300):
        yield from (b"", b"a", b"ab", b"abc", b"\xff", b"\x80a", b"a\xff")
        for _ in range(count):
            yield bytes(self.random.choice(b"ab\x7f\x80\xff")
                        for _ in range(self.random.randrange(9)))

    def test_lengths(self):
        strlen = self.function("strlen", ctypes.c_size_t, ctypes.c_char_p)
        strnlen = self.function("strnlen", ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)
        for word in self.words():
            self.assertEqual(strlen(word), len(word))
            for size in range(12):
                self.assertEqual(strnlen(word, size), min(size, len(word)))

    def copy(self, name, word, size=None, start=b""):
        """What a copying function leaves in a buffer of dots, and what it returns."""
        content = start + b"\0" if start else b""
        buf = ctypes.create_string_buffer(content.ljust(32, b"."), 32)
        copy = getattr(self.jos, "jos_" + name)
        copy.restype = ctypes.c_void_p
        args = [ctypes.c_void_p(ctypes.addressof(buf)), ctypes.c_char_p(word)]
        if size is not None:
            args.append(ctypes.c_size_t(size))
        result = copy(*args)
        return buf.raw, result, ctypes.addressof(buf)

    def test_copies(self):
        dots = b"." * 32
        for word in self.words():
            whole = word + b"\0"
            raw, result, base = self.copy("strcpy", word)
            self.assertEqual((raw, result), ((whole + dots)[:32], base))
            raw, result, base = self.copy("strcat", word, start=b"xyz")
            self.assertEqual((raw[:4 + len(word)], result), (b"xyz" + whole, base))
            for size in range(12):
                raw, result, base = self.copy("strncpy", word, size)
                expected = (word[:size] + b"\0" * size)[:size] + dots
                self.assertEqual((raw, result), (expected[:32], base))
                raw, result, _ = self.copy("strlcpy", word, size)
                expected = (word[:size - 1] + b"\0" if size else b"") + dots
                self.assertEqual((raw, result or 0), (expected[:32], len(word)))

    def test_comparisons(self):
        strcmp = self.function("strcmp", ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p)
        strncmp = self.function("strncmp", ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p,
                                ctypes.c_size_t)
        words = list(self.words(40))
        for one in words:
            for two in words:
                got = strcmp(one, two)
                self.assertEqual((got > 0) - (got < 0), (one > two) - (one < two), (one, two))
                for size in (0, 1, 2, 3, 20):
                    got = strncmp(one, two, size)
                    head, other = one[:size], two[:size]
                    self.assertEqual((got > 0) - (got < 0), (head > other) - (head < other))

    def test_searches(self):
        strchr = self.function("strchr", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char)
        strfind = self.function("strfind", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char)
        for word in self.words():
            buf = ctypes.create_string_buffer(word)
            base = ctypes.addressof(buf)
            for wanted in (b"a", b"b", b"\xff", b"z", b"\0"):
                at = (word + b"\0").find(wanted)
                self.assertEqual(strchr(base, wanted), base + at if at >= 0 else None)
                self.assertEqual(strfind(base, wanted) - base, at if at >= 0 else len(word))

    def strtol(self, text, base):
        """The number, and how many characters it took."""
        strtol = self.function("strtol", ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p,
                               ctypes.c_int)
        buf, end = ctypes.create_string_buffer(text), ctypes.c_void_p()
        value = strtol(ctypes.addressof(buf), ctypes.addressof(end), base)
        self.assertEqual(strtol(ctypes.addressof(buf), None, base), value)
        return value, end.value - ctypes.addressof(buf)

    def test_strtol_edges(self):
        for text, base, value, taken in (
                (b"", 0, 0, 0), (b"-", 0, 0, 0), (b"  ", 10, 0, 0), (b"x", 16, 0, 0),
                (b"0x", 0, 0, 1), (b"0x", 16, 0, 1), (b"0xg", 16, 0, 1), (b"0X1f", 0, 31, 4),
                (b"-0x10", 16, -16, 5), (b" \t\n+42z", 10, 42, 6), (b"+-1", 10, 0, 0),
                (b"017", 0, 15, 3), (b"08", 0, 0, 1), (b"0", 0, 0, 1), (b"12", 2, 1, 1),
                (b"zZ", 36, 35 * 37, 2), (b"0x10", 10, 0, 1), (b"0x10", 34, 33 * 34 * 34 + 34, 4),
                (b"0", 1, 0, 0), (b"1", 37, 0, 0), (b"1", -1, 0, 0),
                (b"0xffffffffffffffff", 16, -1, 18), (b"0xf0100000", 0, 0xF0100000, 10),
                (b"10000000000000000", 16, 0, 17), (b"9223372036854775808", 10, -1 << 63, 19)):
            self.assertEqual(self.strtol(text, base), (value, taken), (text, base))

    def test_strtol_random(self):
        libc = LIBC.strtol
        libc.restype = ctypes.c_long
        libc.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
        for _ in range(5000):
            text = bytes(self.random.choice(b"  +-0xX17fz9A") for _ in range(
                self.random.randrange(10)))
            base = self.random.choice((0, 2, 8, 10, 16, 36))
            buf, end = ctypes.create_string_buffer(text), ctypes.c_void_p()
            value = libc(ctypes.addressof(buf), ctypes.addressof(end), base)
            self.assertEqual(self.strtol(text, base),
                             (value, end.value - ctypes.addressof(buf)), (text, base))


class Division(LibraryTest):
    EDGES = [0, 1, 2, 3, 7, 10, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF,
             1 << 32, (1 << 32) + 1, 0x1FFFFFFFF, 0x7FFFFFFF_FFFFFFFF, 1 << 63, (1 << 63) + 1,
             0x80000000_FFFFFFFF, 0xFFFFFFFF_00000000, 0xFFFFFFFF_00000001, U64 - 1, U64]

    def pairs(self):
        numbers = self.EDGES + [U64 + 1 - edge for edge in self.EDGES if edge]
        for n in numbers:
            for d in numbers:
                if d:
                    yield n, d
        for _ in range(20000):
            n = self.random.getrandbits(self.random.randint(1, 64))
            d = self.random.getrandbits(self.random.randint(1, 64)) | 1
            yield n, d
            if n // d > 1:  # Around a multiple of d
                yield n - n % d, d
                yield n - n % d - 1, d

    def test_unsigned(self):
        u64 = ctypes.c_uint64
        divide = self.function("__udivdi3", u64, u64, u64)
        modulo = self.function("__umoddi3", u64, u64, u64)
        both = self.function("__udivmoddi4", u64, u64, u64, ctypes.c_void_p)
        rest = u64()
        for n, d in self.pairs():
            self.assertEqual((divide(n, d), modulo(n, d)), (n // d, n % d), (n, d))
            self.assertEqual(both(n, d, ctypes.addressof(rest)), n // d)
            self.assertEqual(rest.value, n % d)

    def test_signed(self):
        i64 = ctypes.c_int64
        divide = self.function("__divdi3", i64, i64, i64)
        modulo = self.function("__moddi3", i64, i64, i64)
        both = self.function("__divmoddi4", i64, i64, i64, ctypes.c_void_p)
        rest = i64()
        for n, d in self.pairs():
            n, d = i64(n).value, i64(d).value
            quotient = abs(n) // abs(d) * (1 if (n < 0) == (d < 0) else -1)
            expected = i64(quotient).value, n - quotient * d
            self.assertEqual((divide(n, d), modulo(n, d)), expected, (n, d))
            self.assertEqual((both(n, d, ctypes.addressof(rest)), rest.value), expected)


class Printing(LibraryTest):
    def snprintf(self, size, fmt, *args, function=None):
        """The text in a buffer of so many bytes, and the length that is returned."""
        buf = ctypes.create_string_buffer(b"#" * (size + 8), size + 8)
        function = function or self.jos.jos_snprintf
        length = function(buf, ctypes.c_int(size), fmt, *args)
        self.assertEqual(buf.raw[size:], b"#" * 8, "written beyond the end")
        return buf.raw[:size].split(b"\0")[0], length

    def says(self, expected, fmt, *args):
        self.assertEqual(self.snprintf(400, fmt, *args), (expected, len(expected)), fmt)

    def test_room(self):
        for size in range(1, 12):
            self.assertEqual(self.snprintf(size, b"%s %d", b"abc", 1234),
                             (b"abc 1234"[:size - 1], 8))
        for size in (0, -1, -1 << 31):
            self.assertEqual(self.jos.jos_snprintf(b"", size, b"abc"), -3)
        self.assertEqual(self.jos.jos_snprintf(None, 10, b"abc"), -3)

    def test_words(self):
        self.says(b"6828 decimal is 15254 octal!", b"%d decimal is %o octal!", 6828, 6828)
        self.says(b"100%", b"%d%%", 100)
        self.says(b"(null)|    (null)|(nu", b"%s|%10s|%.3s", None, None, None)
        self.says(b"?a?~??", b"%#s", b"\x01a\n~\x7f\xff")
        self.says(b"\x01\xff", b"%s", b"\x01\xff")
        self.says(b"0xf0100000|   0x1|0x1   |0x0", b"%p|%6p|%-6p|%p", ctypes.c_void_p(0xF0100000),
                  ctypes.c_void_p(1), ctypes.c_void_p(1), None)
        self.says(b"12", b"%#x", 0x12)
        self.says(b"2147483647", b"%.0d%d", 0, 0x7FFFFFFF)

    def test_unknown(self):
        self.says(b"%q 5", b"%q %d", 5)
        self.says(b"a%", b"a%")
        self.says(b"%-08", b"%-08")
        self.says(b"%l", b"%l")
        self.says(b"%.", b"%.")

    def test_errors(self):
        texts = [b"unspecified error", b"bad environment", b"invalid parameter",
                 b"out of memory", b"out of environments", b"segmentation fault",
                 b"env is not recving", b"unexpected end of file"]
        for number, text in enumerate(texts, 1):
            self.says(text, b"%e", number)
            self.says(text, b"%e", -number)
        self.says(b"   out of memory|", b"%16e|", -4)
        for number in (0, 9, 10, 1000, 0x7FFFFFFF):
            self.says(b"error %d" % number, b"%e", number)
            self.says(b"error %d" % number, b"%e", -number)
        self.says(b"error 2147483648", b"%e", ctypes.c_int(-1 << 31))

    def test_stars(self):
        self.says(b"    5|5    |5", b"%*d|%*d|%*d", 5, 5, -5, 5, 0, 5)
        self.says(b"ab|abc|00007", b"%.*s|%.*s|%.*d", 2, b"abc", -1, b"abc", 5, 7)
        self.says(b"12", b"%.*d", -5, 12)

    def test_does_not_read_beyond_precision(self):
        """A string without an end, just before a page that is not there."""
        size = 4096
        LIBC.mmap.restype = ctypes.c_void_p
        base = LIBC.mmap(None, ctypes.c_size_t(2 * size), 3, 0x22, -1, ctypes.c_long(0))
        self.assertEqual(LIBC.mprotect(ctypes.c_void_p(base + size), ctypes.c_size_t(size), 0), 0)
        ctypes.memmove(base + size - 3, b"end", 3)
        self.says(b"end", b"%.3s", ctypes.c_void_p(base + size - 3))
        self.says(b"     end", b"%8.*s", 3, ctypes.c_void_p(base + size - 3))
        LIBC.munmap(ctypes.c_void_p(base), ctypes.c_size_t(2 * size))

    def random_number(self, bits):
        edges = [0, 1, -1, 9, 10, 1 << bits - 1, (1 << bits - 1) - 1, (1 << bits) - 1, 1 << 31,
                 (1 << 32) - 1]
        if self.random.random() < 0.5:
            return self.random.choice(edges)
        return self.random.getrandbits(self.random.randint(1, bits))

    def random_conversion(self):
        letter = self.random.choice("duoxcs")
        fmt = "%" + "".join(self.random.choice("-0" if letter in "duox" else "-")
                            for _ in range(self.random.randrange(3)))
        args = []
        for dot in ("", "."):
            kind = self.random.randrange(3)
            if dot and (letter == "c" or kind == 0):
                continue
            fmt += dot
            if kind == 1:
                fmt += str(self.random.randint(1, 30))
            elif kind == 2:
                fmt += "*"
                args.append(ctypes.c_int(self.random.randint(-30, 30)))
        if letter == "c":
            args.append(ctypes.c_int(self.random.randint(1, 255)))
        elif letter == "s":
            args.append(ctypes.c_char_p(b"hello, world"[:self.random.randrange(13)]))
        else:
            modifier = self.random.choice(["", "l", "ll"])
            fmt += modifier
            bits = 64 if modifier else 32
            args.append((ctypes.c_uint64 if modifier else ctypes.c_uint32)(
                self.random_number(bits)))
        return fmt + letter, args

    def test_against_libc(self):
        for _ in range(20000):
            fmt, args = "", []
            for _ in range(self.random.randint(1, 4)):
                conversion, more = self.random_conversion()
                fmt += conversion + self.random.choice(["", "|", " %% "])
                args += more
            size = self.random.choice([1, 10, 400])
            self.assertEqual(self.snprintf(size, fmt.encode(), *args),
                             self.snprintf(size, fmt.encode(), *args, function=LIBC.snprintf),
                             (fmt, args))

    def test_counts_too_large_for_an_int(self):
        for digits in (b"2147483647", b"2147483648", b"4294967296", b"18446744073709551616"):
            self.says(b"abc|  7", b"%." + digits + b"s|%3d", b"abc", 7)


class Terminal:
    """A screen line as both a serial terminal and the CGA console show it."""

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
# What a key sends: bytes, as characters of the same number, or a key of inc/kbdreg.h.
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
    """What readline must do, in so many words."""

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


class ReadingLines(LibraryTest):
    PROMPT = "K> "
    last_end = None  # The key that ended the last line: the library keeps it, too.

    def readline(self, typed, prompt=PROMPT.encode(), console=True):
        """What readline returns when this is typed, and all that it printed."""
        keys = (ctypes.c_uint16 * len(typed))(*map(ord, typed))
        self.jos.stub_script(keys, len(typed), int(console))
        readline = self.function("readline", ctypes.c_char_p, ctypes.c_char_p)
        result = readline(prompt)
        length = ctypes.c_uint.in_dll(self.jos, "stub_output_length").value
        output = (ctypes.c_ubyte * length).in_dll(self.jos, "stub_output")
        if result is not None:
            ReadingLines.last_end = typed[-1]
        return result, bytes(output)

    def mark(self, byte):
        """How much was printed when this byte of the input was asked for."""
        return (ctypes.c_uint * (byte + 1)).in_dll(self.jos, "stub_marks")[byte]

    def edit(self, editor, names, end="\r"):
        """Press keys; after each, the screen must look as the editor says."""
        editor.start()
        presses = [self.random.choice(KEYS[name]) if name in KEYS else name for name in names]
        if not presses and {end, self.last_end} == {"\r", "\n"}:
            end = self.last_end  # Not the second half of the last line's end
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

    def test_plain(self):
        self.assertEqual(self.readline("help\r"), (b"help", b"K> help\n"))
        self.assertEqual(self.readline("help\n"), (b"help", b"K> help\n"))
        self.assertEqual(self.readline("\n", None), (b"", b"\n"))
        self.assertEqual(self.readline("a\tb\r"), (b"a b", b"K> a b\n"))
        self.assertEqual(self.readline("x\r", b"%s%d"), (b"x", b"%s%dx\n"))

    def test_two_halves_of_one_enter(self):
        for first, second in ("\r\n", "\n\r"):
            self.assertEqual(self.readline("a" + first)[0], b"a")
            self.assertEqual(self.readline(second + "b" + first), (b"b", b"K> b\n"))
            self.assertEqual(self.readline(second + first), (b"", b"K> \n"))

    def test_escape_that_begins_no_sequence(self):
        for typed in ("\x1bx", "\x1bOx", "\x1b" + "[" + "9" * 20 + "~", "\x1b\x1bx", "a\x1b\bx"):
            text = typed.replace("\x1b", "").replace("a\b", "")
            self.assertEqual(self.readline(typed + "\r")[0], text.encode(), typed)

    def test_end_of_input(self):
        for typed in ("", "abc", "abc\x1b", "abc\x1b[", "abc\x1b[3"):
            self.assertIsNone(self.readline(typed)[0])

    def test_no_echo_off_the_console(self):
        self.assertEqual(self.readline("ab\b\x01c\r", None, False), (b"ca", b""))

    def test_abandon(self):
        self.assertEqual(self.readline("abc\x01\x03"), (b"", b"K> abc\b\b\babc^C\n"))
        self.assertEqual(self.readline("\u01e2\r")[0], b"", "it is not remembered")

    def test_every_key(self):
        editor = Editor()
        for name, codes in KEYS.items():
            for _ in codes * 3:
                self.edit(editor, list("ab cd") + [LEFT, LEFT, name, "x", name, name])

    def test_full(self):
        editor = Editor()
        keys = list("0123456789" * 103)
        self.edit(editor, keys + [LEFT, "a", "backspace", "b", "c", HOME, "d", DELETE, "e", "f"])
        self.assertEqual(len(editor.text), 1023)
        self.edit(editor, [UP, "x", DOWN, UP, "backspace", "y", "z"])

    def test_history(self):
        editor = Editor()
        self.edit(editor, [UP, DOWN, UP])
        for number in range(12):
            self.edit(editor, list("line %d" % number) + [UP] * (number % 10) + [DOWN] * 12)
            self.edit(editor, list("draft") + [UP] * 12 + ["!", UP, DOWN, DOWN])
        self.edit(editor, list("twice"))
        self.edit(editor, list("twice"))
        self.edit(editor, [])
        self.edit(editor, [UP, UP, "?"])

    def test_random(self):
        editor = Editor()
        names = [name for name in KEYS] + list("ab  ")
        for _ in range(400):
            self.edit(editor, self.random.choices(names + list("abcd ") * 4,
                                                  k=self.random.randrange(60)),
                      self.random.choice("\r\n"))


if __name__ == "__main__":
    unittest.main()
