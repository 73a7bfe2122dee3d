"""lib/printfmt.c, compiled for the host: what the conversions print."""

import ctypes
import unittest

from tests.host.libc import HOST_LIBC, LibraryTest


class PrintfmtTest(LibraryTest):
    def snprintf(self, size, fmt, *args, function=None):
        """Print into a buffer of `size` bytes. Returns the text and the result."""
        buf = ctypes.create_string_buffer(b"#" * (size + 8), size + 8)
        function = function or self.jos.jos_snprintf
        length = function(buf, ctypes.c_int(size), fmt, *args)
        self.assertEqual(buf.raw[size:], b"#" * 8, "written beyond the end")
        return buf.raw[:size].split(b"\0")[0], length

    def says(self, expected, fmt, *args):
        self.assertEqual(self.snprintf(400, fmt, *args), (expected, len(expected)), fmt)

    def test_text_is_cut_to_fit_the_buffer(self):
        for size in range(1, 12):
            self.assertEqual(self.snprintf(size, b"%s %d", b"abc", 1234),
                             (b"abc 1234"[:size - 1], 8))
        for size in (0, -1, -1 << 31):
            self.assertEqual(self.jos.jos_snprintf(b"", size, b"abc"), -3)
        self.assertEqual(self.jos.jos_snprintf(None, 10, b"abc"), -3)

    def test_strings_pointers_and_numbers(self):
        self.says(b"6828 decimal is 15254 octal!", b"%d decimal is %o octal!", 6828, 6828)
        self.says(b"100%", b"%d%%", 100)
        self.says(b"(null)|    (null)|(nu", b"%s|%10s|%.3s", None, None, None)
        self.says(b"?a?~??", b"%#s", b"\x01a\n~\x7f\xff")
        self.says(b"\x01\xff", b"%s", b"\x01\xff")
        self.says(b"0xf0100000|   0x1|0x1   |0x0", b"%p|%6p|%-6p|%p", ctypes.c_void_p(0xF0100000),
                  ctypes.c_void_p(1), ctypes.c_void_p(1), None)
        self.says(b"12", b"%#x", 0x12)
        self.says(b"2147483647", b"%.0d%d", 0, 0x7FFFFFFF)

    def test_unknown_conversions_are_printed_as_they_are(self):
        self.says(b"%q 5", b"%q %d", 5)
        self.says(b"a%", b"a%")
        self.says(b"%-08", b"%-08")
        self.says(b"%l", b"%l")
        self.says(b"%.", b"%.")

    def test_errors_are_named(self):
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

    def test_width_and_precision_may_be_arguments(self):
        self.says(b"    5|5    |5", b"%*d|%*d|%*d", 5, 5, -5, 5, 0, 5)
        self.says(b"ab|abc|00007", b"%.*s|%.*s|%.*d", 2, b"abc", -1, b"abc", 5, 7)
        self.says(b"12", b"%.*d", -5, 12)

    def test_string_is_not_read_beyond_its_precision(self):
        """The string has no NUL, and the page after it cannot be read."""
        size = 4096
        HOST_LIBC.mmap.restype = ctypes.c_void_p
        base = HOST_LIBC.mmap(None, ctypes.c_size_t(2 * size), 3, 0x22, -1, ctypes.c_long(0))
        self.assertEqual(
            HOST_LIBC.mprotect(ctypes.c_void_p(base + size), ctypes.c_size_t(size), 0), 0)
        ctypes.memmove(base + size - 3, b"end", 3)
        self.says(b"end", b"%.3s", ctypes.c_void_p(base + size - 3))
        self.says(b"     end", b"%8.*s", 3, ctypes.c_void_p(base + size - 3))
        HOST_LIBC.munmap(ctypes.c_void_p(base), ctypes.c_size_t(2 * size))

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

    def test_output_agrees_with_the_c_library(self):
        for _ in range(20000):
            fmt, args = "", []
            for _ in range(self.random.randint(1, 4)):
                conversion, more = self.random_conversion()
                fmt += conversion + self.random.choice(["", "|", " %% "])
                args += more
            size = self.random.choice([1, 10, 400])
            self.assertEqual(self.snprintf(size, fmt.encode(), *args),
                             self.snprintf(size, fmt.encode(), *args, function=HOST_LIBC.snprintf),
                             (fmt, args))

    def test_precision_too_large_for_an_int_is_no_limit(self):
        for digits in (b"2147483647", b"2147483648", b"4294967296", b"18446744073709551616"):
            self.says(b"abc|  7", b"%." + digits + b"s|%3d", b"abc", 7)


if __name__ == "__main__":
    unittest.main()
