"""Seals: proof that a program, and not the kernel, has printed a text.

A student's kernel could print what a grade expects without running the program. So the programs of
a sealed grade use another cprintf (sealed.c), which puts a seal after each text. The seal has a
checksum with a key that the grader draws anew for each run and writes into the disk image, and the
name of the program is replaced by random letters. A SealedMachine checks and removes the seals, so
the rest of the grade sees the usual output, except for one thing: a line that looks like a
program's, but has no seal, begins with FOREIGN, and so does not match.
"""

import random
import re
import struct

from tools.build.elffile import SHF_ALLOC, SHF_EXECINSTR, read_elf
from tools.run.machine import Machine

KEY = struct.pack("<4I", 0x5EA1ED00, 0x1D7E5CA1, 0xC0FFEE5E, 0xA17B0A4D)  # As in sealed.c
SEAL = re.compile("\1([^\1-\3]*)\2([0-9a-f]{8})([0-9a-f]{8})([0-9a-f]{2})([0-9a-f]{8})\3")
FOREIGN = "(not printed by the program) "
LETTERS = "abcdefghijklmnopqrstuvwxyz"

# Programs whose last line comes from sys_cputs, without cprintf.
UNSEALED = ("conform_cputs",)

# What a kernel prints: only this needs no seal. (A panic of a program is printed by the library.)
KERNEL_LINE = re.compile(r"""
    6828\ decimal\ is\ .* | Physical\ memory:\ .* | check_\w+\(\)\ succeeded! | SMP:\ .*
    | enabled\ interrupts:\ .* | kernel\ (?:panic|warning)\ .* | audit:\ .*
    | selftest:\ .* | command\ line:\ .*
    | \[[0-9a-f]{8}\]\ (?: (?:new\ env|destroying|free\ env)\ [0-9a-f]{8} | exiting\ gracefully
                         | user\ (?:fault\ va|panic\ in|warning\ in)\ .*
                         | user_mem_check\ assertion\ failure\ for\ va\ .* )
    | TRAP\ frame\ at\ .* | \ \ [a-z]+\ +(?:0x[0-9a-f]+|----).* | \ \ ebp\ .* | \ {8}\S+:\d+:\ .*
    | No\ runnable\ environments\ .* | Welcome\ to\ the\ JOS\ .* | Type\ 'help'\ .* | K>.* | \s*
    """, re.X)


def _mix(total, key, word):
    total = ((total + key & 0xffffffff) ^ word) * 0x9E3779B1 & 0xffffffff
    return total ^ total >> 15


def checksum(key, text, words):
    """The checksum of a seal, computed as in sealed.c."""
    keys = struct.unpack("<4I", key)
    total = len(text)
    for i, byte in enumerate(text):
        total = _mix(total, keys[i % 4], byte)
    for i, word in enumerate(words):
        total = _mix(total, keys[i], word)
    return _mix(total, keys[3], 0)


class Seals:
    """The seals of one run: check and remove them.

    key      16 bytes
    code     ranges of addresses of the programs' own code: only a call from there counts
    aliases  {name on the command line: real name}
    programs the number of programs that the command line starts

    Attributes, for outside.py: `starts` has the RUN of each program start, `runs` and `cpus` those
    of all texts with a seal; `broken` counts seals with a wrong checksum."""

    def __init__(self, key, code, aliases, programs):
        self._key, self._code, self.programs = key, code, programs
        self._names = {alias: name for alias, name in aliases.items() if alias != name}
        self._alias = re.compile("|".join(map(re.escape, self._names)) or r"(?!)")
        self._seen, self._text = -1, ""
        self.starts, self.runs, self.cpus, self.broken = [], set(), set(), 0

    def text(self, raw):
        """The output without seals."""
        if len(raw) != self._seen:
            self._text = self._alias.sub(lambda m: self._names[m[0]], self._read(raw))
            self._seen = len(raw)
        return self._text

    def _read(self, raw):
        raw = raw.replace("\r", "")
        self.starts, self.runs, self.cpus, self.broken = [], set(), set(), 0
        pieces, end = [], 0
        for seal in SEAL.finditer(raw):
            pieces.append((raw[end:seal.start()], False))
            pieces.append((seal[1], self._check(seal)))
            end = seal.end()
        pieces.append((raw[end:], False))
        return join_lines(pieces, not set(UNSEALED) & set(self._names.values()))

    def _check(self, seal):
        """Whether a seal is right, and made by a call from the program's own code."""
        run, caller, cpu, total = (int(word, 16) for word in seal.groups()[1:])
        if checksum(self._key, seal[1].encode("utf-8", "replace"), (run, caller, cpu)) != total:
            self.broken += 1
            return False
        self.runs.add(run)
        if caller == 0 and not seal[1]:
            self.starts.append(run)
            return True
        self.cpus.add(cpu)
        return any(start <= caller < end for start, end in self._code)


def join_lines(pieces, mark):
    """Join (text, sealed) pieces. With `mark`, a line with a piece that needs a seal and has none
    is marked, except the last line, which is not yet complete."""
    lines, line, foreign = [], [], False
    for text, sealed in pieces:
        parts = text.split("\n")
        for i, part in enumerate(parts):
            if i:
                lines.append((FOREIGN if foreign and mark else "") + "".join(line))
                line, foreign = [], False
            if part:
                line.append(part)
                foreign = foreign or not (sealed or KERNEL_LINE.fullmatch(part))
    return "\n".join([*lines, "".join(line)])


class SealedMachine(Machine):
    """A Machine whose `output` has no seals. It has no network card: by default, QEMU's would reach
    the network of the host."""

    STDOUT = "raw"

    def __init__(self, qemu, seals, **options):
        self.seals = seals
        args = [*options.pop("args", ()), "-nic", "none"]
        super().__init__(qemu, args=args, **options)

    @property
    def output(self):
        return self.seals.text(self.raw)

    @output.setter
    def output(self, text):
        pass  # The constructor of Child sets the output to "".


# ---- The disk image ----

def own_code(program, objects):
    """The range of addresses, in a linked program, of the code that its own source file has. The
    linker puts the code of an object file in one place: user/user.ld."""
    elf, unit = read_elf(program), read_elf(objects)
    start = elf.symbol("umain").value - unit.symbol("umain").value
    code = SHF_ALLOC | SHF_EXECINSTR
    size = sum(section.size + 15 & ~15 for section in unit.sections if section.flags & code == code)
    return start, start + size


def make_alias(name, taken):
    """Random letters, as many as the name has."""
    while True:
        alias = "".join(random.SystemRandom().choice(LETTERS) for _ in name)
        if alias not in taken:
            return alias


class Image:
    """A disk image with a key of its own, and with other names for the programs.

    image    the bytes of the image; kernel: the offset of the kernel's ELF file in it
    names    {program: offset of its name in the kernel's ELF file}
    cmdline  the command line, with the programs' real names
    """

    def __init__(self, image, kernel, names, cmdline):
        self.key = random.SystemRandom().getrandbits(128).to_bytes(16, "little")
        self.aliases, self.programs, self.count = {}, [], 0
        data, words = bytearray(image.replace(KEY, self.key)), []
        for word in cmdline.split():
            name, comma, rest = word.partition(",")
            if name in names and name not in self.programs:
                self.programs.append(name)
                alias = make_alias(name, [*names, *self.aliases])
                self.aliases[alias] = name
                at = kernel + names[name]
                assert data[at:at + len(name) + 1] == name.encode() + b"\0"
                data[at:at + len(name)] = alias.encode()
            for alias, known in self.aliases.items():
                if known == name:
                    name, self.count = alias, self.count + 1
            words.append(name + comma + rest)
        self.data, self.cmdline = bytes(data), " ".join(words)
