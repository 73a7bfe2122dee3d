"""tools/build/proglines.py: the tables of source lines of programs. tests/kernel/test_step.py
compares what the kernel reads in them with addr2line."""

import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest

from tools.build.elffile import read_elf
from tools.build.ksymtab import NO_FILE, find_lines
from tools.build.proglines import BLOCK, HEADER, make_table
from tools.run.buildtree import ROOT


def read_rows(table):
    """[(address, file or None, line)]: the rows of a table."""
    nblocks, nfiles = HEADER.unpack_from(table)
    files_at = HEADER.size + BLOCK.size * nblocks
    names = [table[at:table.index(b"\0", at)].decode()
             for at in struct.unpack_from("<%dI" % nfiles, table, files_at)]
    blocks = [BLOCK.unpack_from(table, HEADER.size + BLOCK.size * i) for i in range(nblocks)]
    rows = []
    for i, (address, file, line, at) in enumerate(blocks):
        name = None if file == NO_FILE else names[file]
        rows.append((address, name, line))
        for at in range(at, blocks[i + 1][3] if i + 1 < nblocks else at, 2):
            step, growth = struct.unpack_from("<Bb", table, at)
            address, line = address + step, line + growth
            rows.append((address, name, line))
    return rows


class ProgramLinesTest(unittest.TestCase):
    def test_random_lines_are_kept(self):
        seed = random.randrange(1 << 32)
        rng = random.Random(seed)
        for _ in range(200):
            address, lines = 0x800000, []
            for _ in range(rng.randrange(300)):
                address += rng.choice([1, 2, 3, 7, 254, 255, 256, 257, 70000])
                file = rng.choice(["a.c", "a.c", "b.h", None])
                if not file and lines and not lines[-1][1]:
                    continue
                last = lines[-1][2] if lines else 0
                near = last + rng.choice([-129, -128, -1, 1, 126, 127, 128])
                line = rng.choice([near, near, near, rng.randrange(1, 65536)])
                lines.append((address, file, min(max(line, 1), 65535) if file else 0))
            if lines and lines[-1][1]:
                lines.append((address + 1, None, 0))  # The end of the code
            self.assertEqual(read_rows(make_table(lines)), lines, "seed %d" % seed)

    def test_blocks_are_short(self):
        lines = [(0x800000 + i, "a.c", i + 1) for i in range(1000)]
        self.assertEqual(HEADER.unpack_from(make_table(lines)), (31, 1))

    def test_tool_writes_the_table_of_a_program(self):
        with tempfile.TemporaryDirectory() as folder:
            source, program = os.path.join(folder, "x.c"), os.path.join(folder, "x")
            with open(source, "w", encoding="utf-8") as f:
                f.write("int x;\nvoid _start(void)\n{\n\tx++;\n\tx /= 3;\n}\n")
            subprocess.run(["gcc", "-m32", "-g", "-nostdlib", "-static", "-fno-pie", "-no-pie",
                            "-o", program, source], check=True)
            subprocess.run([sys.executable, os.path.join(ROOT, "tools/build/proglines.py"),
                            "-o", folder, program], cwd=ROOT, check=True)
            with open(program + ".lines", "rb") as f:
                rows = read_rows(f.read())
            self.assertEqual(rows, find_lines(read_elf(program), ROOT))
            self.assertIn(4, [line for _, _, line in rows])


if __name__ == "__main__":
    unittest.main()
