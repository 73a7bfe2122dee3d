#!/usr/bin/env python3
"""Make a program's table of source lines, for kern/check/userdebug.c.

    proglines.py -o obj/kern/programs obj/user/NAME...    writes obj/kern/programs/NAME.lines

A row says that a file and a line begin at an address. All rows of one file within 255 bytes of
another form a block, of at most BLOCK_ROWS rows. The table consists of, in little-endian order:

    nblocks, nfiles     32 bits each
    blocks              {address: 32 bits, file: 16, line: 16, offset of its rows: 32}, sorted by
                        address. The block itself is its first row. The last block marks the end.
    files               for each file, the offset of its name: 32 bits
    rows                {how much the address grows: 8 bits, how much the line grows: 8, signed}
    names               NUL-terminated, relative to the project's root

Offsets count from the start of the table. File 0xffff: the source is not known.
"""

import argparse
import os
import struct
import sys

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.build.dwarfline import DwarfError
from tools.build.elffile import ElfError, read_elf
from tools.build.ksymtab import NO_FILE, find_lines

BLOCK_ROWS = 32
HEADER, BLOCK, OFFSET = struct.Struct("<II"), struct.Struct("<IHHI"), struct.Struct("<I")


def make_blocks(lines):
    """[(address, file, line, rows)] for the lines of find_lines(). rows: bytes."""
    blocks = []
    last = (0, None, 0)
    for address, file, line in lines:
        step, growth = address - last[0], line - last[2]
        if (blocks and file == last[1] and step <= 255 and -128 <= growth <= 127
                and len(blocks[-1][3]) < 2 * BLOCK_ROWS):
            blocks[-1][3].extend((step, growth & 0xff))
        else:
            blocks.append((address, file, line, bytearray()))
        last = (address, file, line)
    return blocks


def make_table(lines):
    """The table for the lines of find_lines(), as bytes."""
    blocks = make_blocks(lines)
    files = sorted({file for _, file, _, _ in blocks if file})
    index = {file: i for i, file in enumerate(files)}
    rows_at = HEADER.size + BLOCK.size * len(blocks) + OFFSET.size * len(files)
    names_at = rows_at + sum(len(rows) for _, _, _, rows in blocks)
    result = bytearray(HEADER.pack(len(blocks), len(files)))
    for address, file, line, rows in blocks:
        result += BLOCK.pack(address, index.get(file, NO_FILE), line, rows_at)
        rows_at += len(rows)
    names = [file.encode() + b"\0" for file in files]
    for name in names:
        result += OFFSET.pack(names_at)
        names_at += len(name)
    return bytes(result + b"".join(bytes(rows) for _, _, _, rows in blocks) + b"".join(names))


def main():
    parser = argparse.ArgumentParser(description="Make the tables of source lines of programs.")
    parser.add_argument("-o", metavar="FOLDER", required=True, help="the folder for the tables")
    parser.add_argument("programs", nargs="+", metavar="PROGRAM", help="a linked program")
    args = parser.parse_args()
    try:
        for program in args.programs:
            table = make_table(find_lines(read_elf(program), os.getcwd()))
            name = os.path.join(args.o, os.path.basename(program) + ".lines")
            with open(name, "wb") as f:
                f.write(table)
    except (ElfError, DwarfError, OSError) as e:
        print("proglines: %s" % e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
