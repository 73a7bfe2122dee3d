"""tools/build/dwarfinfo.py, on structs that both compilers describe in each DWARF version: GDB must
print the same sizes and offsets."""

import os
import shutil
import subprocess
import unittest

from tools.build.dwarfinfo import Types
from tools.build.elffile import read_elf
from tools.run.tool import make_folder, remove_folder

SOURCE = """
typedef unsigned char byte;
enum colour { RED = 3, GREEN, NEGATIVE = -7 };
struct incomplete;
struct inner { byte one; volatile const short two; };
union both { int number; byte bytes[6]; };
struct outer {
    byte first;
    struct inner table[3][2], *pointer;
    union both both;
    enum colour colour;
    struct { int x, y; } unnamed;
    void (*function)(struct incomplete *);
    long long last;
} the_outer;
struct incomplete *nothing;
int main(void) { return the_outer.colour == NEGATIVE; }
"""
OUTER = {"first": None, "table": 6, "pointer": None, "both": None, "colour": None, "unnamed": None,
         "function": None, "last": None}


class DwarfInfoTest(unittest.TestCase):
    def setUp(self):
        self.folder = make_folder("jos-")
        self.addCleanup(remove_folder, self.folder)

    def compile(self, compiler, version):
        source, program = (os.path.join(self.folder, name) for name in ("a.c", "a"))
        with open(source, "w", encoding="ascii") as f:
            f.write(SOURCE)
        subprocess.run([compiler, "-m32", "-ffreestanding", "-nostdlib", "-Wl,-e,main", "-no-pie",
                        "-gdwarf-%d" % version, "-o", program, source], check=True)
        return program

    def gdb(self, program, expressions):
        words = [word for e in expressions for word in ("-ex", "print/d " + e)]
        done = subprocess.run(["gdb", "-n", "-batch", program, *words], stdout=subprocess.PIPE,
                              encoding="utf-8", check=True)
        return [int(line.split("=")[1]) for line in done.stdout.splitlines()]

    def check(self, compiler, version):
        program = self.compile(compiler, version)
        structs, values = Types(read_elf(program)).find({"outer", "inner", "incomplete"},
                                                        {"RED", "NEGATIVE", "BLUE"})
        self.assertEqual(values, {"RED": 3, "NEGATIVE": -7})
        self.assertEqual(set(structs), {"outer", "inner"})
        self.assertEqual({n: m.count for n, m in structs["outer"].members.items()}, OUTER)
        expected = {}
        for name, struct in structs.items():
            expected["sizeof(struct %s)" % name] = struct.size
            for member, found in struct.members.items():
                at = "((struct %s *)0)->%s" % (name, member)
                expected["(int)&" + at] = found.offset
                expected["sizeof(%s)" % at] = found.size
        self.assertEqual(dict(zip(expected, self.gdb(program, expected))), expected)

    def test_gcc_and_clang_in_each_version(self):
        compilers = [c for c in ("gcc", "clang") if shutil.which(c)]
        self.assertTrue(compilers)
        for compiler in compilers:
            for version in (2, 3, 4, 5):
                with self.subTest(compiler=compiler, version=version):
                    self.check(compiler, version)

    def test_no_debugging_information(self):
        program = self.compile("gcc", 4)
        subprocess.run(["strip", "-g", program], check=True)
        self.assertEqual(Types(read_elf(program)).find({"outer"}, {"RED"}), ({}, {}))
