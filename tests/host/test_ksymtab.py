"""tools/build/ksymtab.py, run on small programs from both compilers, in each DWARF version.

Its line for each address of code must be addr2line's, except where the table says "unknown":
there addr2line may guess.
"""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from bisect import bisect_right

from tools.build.elffile import ElfError, ElfFile, read_elf
from tools.build.ksymtab import NO_FILE, make_table, to_assembly
from tools.run.buildtree import ROOT

TOOL = os.path.join(ROOT, "tools/build/ksymtab.py")

HEADER = """
static inline int square(int x) { return x * x + 1; }
"""

# A function comes before the #include because addr2line 2.40 takes the first file of a DWARF 5
# table for the source file, which is not always right.
SOURCE = """
int total;
int first(void) { return total; }
#include <inc/square_of_a_number.h>
static __attribute__((noinline)) int helper(int a)
{
	__asm__ volatile("label_inside: nop");
	if (a > 3)
		total += square(a);
	return total;
}
int function_with_a_long_name_that_a_tool_could_cut_off(int a)
{
	for (int i = 0; i < a; i++)
		total += helper(i);
	return square(total);
}
"""

# Its line numbers pass 65535, the largest that a table can hold, and return to small numbers.
FAR_SOURCE = """
int far_down(int a)
{
#line 65535
	a *= 3;
#line 70000
	a /= 5;
#line 12
	return a;
}
"""

ASSEMBLY = """
	.text
	.globl start
start:
	call function_with_a_long_name_that_a_tool_could_cut_off
forever:
	hlt
	jmp forever
	.section .note.GNU-stack, "", @progbits
"""

# There is a gap before the second section of code.
LINKER_SCRIPT = """
SECTIONS {
	. = 0xf0100000;
	.text : { *(.text) end_of_text = .; }
	. = 0xf0200000;
	.late : { far.o(.text.far_down) }
	.ksymtab : { *(.ksymtab) }
	/DISCARD/ : { *(.note* .comment .eh_frame) }
}
"""

FLAGS = ["-m32", "-march=i686", "-ffreestanding", "-fno-pic", "-fno-pie", "-I.", "-c",
         "-fno-asynchronous-unwind-tables"]


class KsymtabTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="jos-")
        self.addCleanup(shutil.rmtree, self.dir)
        for name, text in (("inc/square_of_a_number.h", HEADER), ("kern/one.c", SOURCE),
                           ("kern/far.c", FAR_SOURCE), ("kern/start.S", ASSEMBLY),
                           ("link.ld", LINKER_SCRIPT)):
            os.makedirs(os.path.dirname(os.path.join(self.dir, name)), exist_ok=True)
            with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
                f.write(text)

    def run_in_dir(self, *command, **options):
        return subprocess.run(command, cwd=self.dir, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding="utf-8", **options)

    def must(self, *command, **options):
        done = self.run_in_dir(*command, **options)
        self.assertEqual(done.returncode, 0, "%s: %s" % (" ".join(command), done.stderr))
        return done.stdout

    def compile(self, compiler, *flags):
        """Compile everything and link it."""
        for name in ("one.c", "far.c", "start.S"):
            section = ["-ffunction-sections"] if name == "far.c" else []
            self.must(compiler, *FLAGS, *flags, *section, "kern/" + name,
                      "-o", name.split(".")[0] + ".o")
        self.link()

    def link(self, *more):
        self.must("ld", "-m", "elf_i386", "-T", "link.ld", "-e", "start", "-o", "kernel",
                  "start.o", "one.o", "far.o", *more)

    def table(self):
        return make_table(read_elf(os.path.join(self.dir, "kernel")), self.dir)

    def assert_lines_are_addr2lines(self):
        """Compare every address of code; return the fraction of them that the table knows."""
        table = self.table()
        starts = [line[0] for line in table.lines]
        addresses = [a for s in read_elf(os.path.join(self.dir, "kernel")).code_sections()
                     for a in range(s.addr, s.addr + s.size)]
        answers = self.must("addr2line", "-e", "kernel",
                            input="".join("%#x\n" % a for a in addresses)).splitlines()
        known = 0
        for address, answer in zip(addresses, answers):
            _, file, line = table.lines[bisect_right(starts, address) - 1]
            if file == NO_FILE:
                continue
            known += 1
            theirs = os.path.relpath(answer.split(" (disc")[0], self.dir) \
                if answer.startswith("/") else os.path.normpath(answer.split(" (disc")[0])
            self.assertEqual("%s:%d" % (table.files[file], line), theirs, hex(address))
        return known / len(addresses)

    def test_lines_agree_with_addr2line(self):
        for compiler in ("gcc", "clang"):
            for version in ("2", "3", "4", "5"):
                for level in ("-O0", "-O1", "-O2"):
                    with self.subTest(compiler=compiler, dwarf=version, level=level):
                        self.compile(compiler, "-gdwarf-" + version, level)
                        self.assertGreater(self.assert_lines_are_addr2lines(), 2 / 3)

    def test_first_file_of_a_table_may_be_a_header(self):
        with open(os.path.join(self.dir, "kern/one.c"), "w", encoding="utf-8") as f:
            f.write(SOURCE.replace("int first(void) { return total; }", ""))
        for compiler in ("gcc", "clang"):
            with self.subTest(compiler=compiler):
                self.compile(compiler, "-g", "-O0")
                table = self.table()
                square = next(a for a, name in table.funcs if name == "square")
                row = next(line for line in table.lines if line[0] == square)
                self.assertEqual((table.files[row[1]], row[2]), ("inc/square_of_a_number.h", 2))

    def test_compressed_line_tables_are_read(self):
        self.compile("gcc", "-g", "-O1")
        self.must("objcopy", "--compress-debug-sections=zlib-gabi", "kernel")
        self.assertGreater(self.assert_lines_are_addr2lines(), 2 / 3)

    def test_table_lists_functions_and_labels(self):
        for compiler in ("gcc", "clang"):
            with self.subTest(compiler=compiler):
                self.compile(compiler, "-g", "-O1")
                functions = self.table().funcs
                names = {name: address for address, name in functions}
                self.assertEqual(set(names), {
                    "start", "forever", "first", "helper", "far_down", "",
                    "function_with_a_long_name_that_a_tool_could_cut_off"})
                self.assertEqual(names["start"], 0xf0100000)
                self.assertEqual(names["far_down"], 0xf0200000)
                self.assertEqual(functions, sorted(functions))
                self.assertEqual([name for _, name in functions].count(""), 2)
                self.assertEqual(functions[-1][1], "")

    def test_address_outside_code_is_unknown(self):
        self.compile("gcc", "-g", "-O1")
        lines = self.table().lines
        self.assertEqual(lines[-1][1:], (NO_FILE, 0))
        gaps = [lines[i - 1] for i, line in enumerate(lines) if line[0] == 0xf0200000]
        self.assertEqual(gaps[0][1:], (NO_FILE, 0))

    def test_line_number_above_65535_is_unknown(self):
        self.compile("gcc", "-g", "-O1")
        numbers = {line for _, _, line in self.table().lines}
        self.assertIn(65535, numbers)
        self.assertNotIn(70000, numbers)
        self.assertNotIn(70000 - 65536, numbers)

    def test_assembled_table_has_the_same_entries(self):
        self.compile("gcc", "-g", "-O1")
        self.must(sys.executable, TOOL, "-o", "table.S", "kernel")
        self.must("gcc", "-m32", "-c", "table.S", "-o", "table.o")
        self.link("table.o")
        table = self.table()
        elf = read_elf(os.path.join(self.dir, "kernel"))
        section = elf.section(".ksymtab")
        data = elf.contents(section)

        def array(name, count, entry):
            start = elf.symbol("ksym_" + name).value - section.addr
            return [struct.unpack_from(entry, data, start + i * struct.calcsize(entry))
                    for i in range(count)]

        def string(offset):
            start = elf.symbol("ksym_strings").value - section.addr + offset
            return data[start:data.index(b"\0", start)].decode()

        self.assertEqual(array("nfuncs", 1, "<I"), [(len(table.funcs),)])
        self.assertEqual(array("nlines", 1, "<I"), [(len(table.lines),)])
        self.assertEqual(array("nfiles", 1, "<I"), [(len(table.files),)])
        self.assertEqual([(a, string(n)) for a, n in array("funcs", len(table.funcs), "<II")],
                         table.funcs)
        self.assertEqual(array("lines", len(table.lines), "<IHH"), table.lines)
        self.assertEqual([string(n) for n, in array("files", len(table.files), "<I")],
                         table.files)
        self.assertEqual(string(0), "")

    def test_verify_finds_moved_code(self):
        self.compile("gcc", "-g", "-O1")
        self.must(sys.executable, TOOL, "-o", "table.S", "kernel")
        self.must(sys.executable, TOOL, "--verify", "table.S", "kernel")
        self.compile("gcc", "-g", "-O0")
        done = self.run_in_dir(sys.executable, TOOL, "--verify", "table.S", "kernel")
        self.assertEqual(done.returncode, 1)
        self.assertIn("ksymtab: kernel: code moved", done.stderr)

    def test_empty_table_assembles(self):
        self.must(sys.executable, TOOL, "--empty", "-o", "table.S")
        self.must("gcc", "-m32", "-c", "table.S", "-o", "table.o")

    def test_kernel_without_line_table_is_refused(self):
        self.compile("gcc", "-O1")
        done = self.run_in_dir(sys.executable, TOOL, "-o", "table.S", "kernel")
        self.assertEqual(done.returncode, 1)
        self.assertIn("was it compiled with -g?", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.dir, "table.S")))

    def test_files_that_are_not_kernels_are_refused(self):
        for data in (b"", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(64), b"nonsense" * 100):
            with self.assertRaises(ElfError):
                ElfFile(data)
        done = self.run_in_dir(sys.executable, TOOL, "-o", "table.S", "link.ld")
        self.assertEqual((done.returncode, done.stderr),
                         (1, "ksymtab: link.ld: not an ELF file\n"))

    def test_truncated_kernels_are_refused(self):
        self.compile("gcc", "-g", "-O1")
        with open(os.path.join(self.dir, "kernel"), "rb") as f:
            data = f.read()
        for size in range(0, len(data), 97):
            with self.assertRaises(ElfError, msg="%d bytes" % size):
                make_table(ElfFile(data[:size]), self.dir)

    def test_special_characters_are_escaped(self):
        from tools.build.ksymtab import Table
        text = to_assembly(Table([(1, 'a"b\\c')], [(1, 0, 1)], ["kern/x.c"]))
        self.assertIn('\t.asciz "a\\"b\\\\c"\n', text)


if __name__ == "__main__":
    unittest.main()
