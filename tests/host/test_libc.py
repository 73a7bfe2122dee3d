"""lib/string.c and lib/div64.c, compiled for the host: the results must be those of Python or of
the host's C library, in edge cases and in random cases."""

import ctypes
import unittest

from tests.host.libc import HOST_LIBC, LibraryTest

U64 = (1 << 64) - 1


class MemoryTest(LibraryTest):
    SIZE = 64

    def places(self):
        """Every small length at every alignment, then random places."""
        for length in range(20):
            for at in range(8):
                yield at, length
        for _ in range(200):
            at = self.random.randrange(self.SIZE)
            yield at, self.random.randrange(self.SIZE - at + 1)

    def test_memset_fills_only_its_bytes(self):
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

    def test_memcpy_copies_only_its_bytes(self):
        self.moves("memcpy", [(to, 32 + source, length) for length in range(20)
                              for to in range(4) for source in range(4)])

    def test_memmove_copies_areas_that_overlap(self):
        pairs = [(to, source, length) for length in range(24)
                 for to in range(12) for source in range(12)]
        for _ in range(500):
            to, source = self.random.randrange(self.SIZE), self.random.randrange(self.SIZE)
            pairs.append((to, source, self.random.randrange(self.SIZE - max(to, source) + 1)))
        self.moves("memmove", pairs)

    def test_memmove_clears_the_direction_flag(self):
        buf = ctypes.create_string_buffer(64)
        base = ctypes.addressof(buf)
        move = self.jos.stub_direction_after_memmove
        move.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
        for length in (0, 1, 4, 7, 20):
            self.assertEqual(move(base + 3, base, length), 0)
            self.assertEqual(move(base, base + 3, length), 0)

    def test_memcmp_and_memfind_agree_with_python(self):
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


class StringTest(LibraryTest):
    def words(self, count=300):
        yield from (b"", b"a", b"ab", b"abc", b"\xff", b"\x80a", b"a\xff")
        for _ in range(count):
            yield bytes(self.random.choice(b"ab\x7f\x80\xff")
                        for _ in range(self.random.randrange(9)))

    def test_strlen_and_strnlen_agree_with_python(self):
        strlen = self.function("strlen", ctypes.c_size_t, ctypes.c_char_p)
        strnlen = self.function("strnlen", ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)
        for word in self.words():
            self.assertEqual(strlen(word), len(word))
            for size in range(12):
                self.assertEqual(strnlen(word, size), min(size, len(word)))

    def copy(self, name, word, size=None, start=b""):
        """Copy a word into a buffer of dots. Returns (bytes, result, address of the buffer)."""
        content = start + b"\0" if start else b""
        buf = ctypes.create_string_buffer(content.ljust(32, b"."), 32)
        copy = getattr(self.jos, "jos_" + name)
        copy.restype = ctypes.c_void_p
        args = [ctypes.c_void_p(ctypes.addressof(buf)), ctypes.c_char_p(word)]
        if size is not None:
            args.append(ctypes.c_size_t(size))
        result = copy(*args)
        return buf.raw, result, ctypes.addressof(buf)

    def test_copies_stay_within_their_size(self):
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

    def test_comparisons_are_of_unsigned_bytes(self):
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

    def test_searches_find_the_first_match(self):
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
        """strtol's result, and how many characters it read."""
        strtol = self.function("strtol", ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p,
                               ctypes.c_int)
        buf, end = ctypes.create_string_buffer(text), ctypes.c_void_p()
        value = strtol(ctypes.addressof(buf), ctypes.addressof(end), base)
        self.assertEqual(strtol(ctypes.addressof(buf), None, base), value)
        return value, end.value - ctypes.addressof(buf)

    def test_strtol_reads_signs_prefixes_and_all_bases(self):
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

    def test_strtol_agrees_with_the_c_library(self):
        libc = HOST_LIBC.strtol
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


class DivisionTest(LibraryTest):
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

    def test_unsigned_division_agrees_with_python(self):
        u64 = ctypes.c_uint64
        divide = self.function("__udivdi3", u64, u64, u64)
        modulo = self.function("__umoddi3", u64, u64, u64)
        both = self.function("__udivmoddi4", u64, u64, u64, ctypes.c_void_p)
        rest = u64()
        for n, d in self.pairs():
            self.assertEqual((divide(n, d), modulo(n, d)), (n // d, n % d), (n, d))
            self.assertEqual(both(n, d, ctypes.addressof(rest)), n // d)
            self.assertEqual(rest.value, n % d)

    def test_signed_division_rounds_toward_zero(self):
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


if __name__ == "__main__":
    unittest.main()
