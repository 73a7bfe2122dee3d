#!/usr/bin/env python3
"""Make the kernel's symbol table: function, file and line of each address (kern/check/kdebug.c).

    ksymtab.py --empty -o obj/kern/ksymtab.S         an empty table, for the first link
    ksymtab.py -o obj/kern/ksymtab.S KERNEL          the table of the kernel that was linked first
    ksymtab.py --verify obj/kern/ksymtab.S KERNEL    after the second link: is the table correct?

The table goes into section .ksymtab. The linker script puts this section after all code, so the
second link does not move any code. --verify makes the table of the final kernel and fails if it
differs from the table in the kernel. kern/check/kdebug.c declares the contents:

    ksym_funcs    {address, name} of every function and label in the code, sorted by address. An
                  entry is valid up to the address of the next entry. An entry with an empty name
                  marks the end of a code section. A name is an offset in ksym_strings.
    ksym_lines    {address, file, line}, sorted by address: one entry where the file or the line
                  changes. A file is an index in ksym_files; 0xffff: no file, or unknown.
    ksym_files    {name}: offsets in ksym_strings of paths relative to the project's root.
    ksym_strings  NUL-terminated names. The first name is empty.
    ksym_nfuncs, ksym_nlines, ksym_nfiles
                  The number of entries in each array, 32 bits wide. 0 in the empty table.

The table leaves out labels inside functions of known size (for example labels in inline assembly),
because a backtrace shows the function. It also leaves out the symbols of the linker script.
"""

import argparse
import os
import sys
from bisect import bisect_right
from collections import namedtuple

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.build.dwarfline import DwarfError, LineTables
from tools.build.elffile import STB_LOCAL, STT_FUNC, STT_NOTYPE, ElfError, read_elf

NO_FILE = 0xffff
MAX_LINE = 0xffff

# funcs: [(address, name)], lines: [(address, index in files or NO_FILE, line)], files: [name].
Table = namedtuple("Table", "funcs lines files")
EMPTY_TABLE = Table([], [], [])


def find_functions(elf):
    """[(address, name)], sorted by address. An empty name marks the end of a code section."""
    sections = elf.code_sections()
    candidates = {}
    spans = []
    for symbol in elf.symbols():
        section = symbol.section
        if (symbol.type not in (STT_FUNC, STT_NOTYPE) or section not in sections
                or not section.addr <= symbol.value < section.addr + section.size):
            continue
        candidates.setdefault(symbol.value, []).append(symbol)
        if symbol.type == STT_FUNC and symbol.size:
            spans.append((symbol.value, symbol.value + symbol.size))
    spans.sort()
    starts = [start for start, _ in spans]

    functions = {s.addr + s.size: "" for s in sections}
    for address, symbols in candidates.items():
        best = min(symbols, key=lambda s: (s.type != STT_FUNC, s.bind == STB_LOCAL, s.name))
        i = bisect_right(starts, address) - 1
        inside = i >= 0 and spans[i][0] < address < spans[i][1]
        if best.type == STT_FUNC or not inside:
            functions[address] = best.name
    return sorted(functions.items())


def find_lines(elf, root):
    """[(address, file name or None, line)], sorted by address: an entry for each change."""
    sections = elf.code_sections()
    lines = []

    def add(address, file, line):
        if not file or not 0 < line <= MAX_LINE:
            file, line = None, 0
        if lines and lines[-1][0] == address:
            lines.pop()
        if not lines or lines[-1][1:] != (file, line):
            lines.append((address, file, line))

    for sequence in LineTables(elf, root).sequences():
        start = sequence.rows[0][0]
        if any(s.addr <= start < s.addr + s.size for s in sections):
            for row in sequence.rows:
                add(*row)
            add(sequence.end, None, 0)
    return lines


def make_table(elf, root):
    """Make the Table of a linked kernel."""
    lines = find_lines(elf, root)
    files = sorted({file for _, file, _ in lines if file})
    if len(files) >= NO_FILE:
        raise ElfError("more than %d source files" % NO_FILE)
    index = {file: i for i, file in enumerate(files)}
    return Table(find_functions(elf),
                 [(address, index.get(file, NO_FILE), line) for address, file, line in lines],
                 files)


def to_assembly(table):
    """The table as the text of an assembly file."""
    offsets = {"": 0}
    strings = [""]
    size = 1
    for name in [name for _, name in table.funcs] + table.files:
        if name not in offsets:
            offsets[name] = size
            strings.append(name)
            size += len(name.encode()) + 1

    out = ["# Made by tools/build/ksymtab.py, which describes the format.",
           '\t.section .ksymtab, "a", @progbits', "\t.balign 4"]

    def array(name, entries):
        out.extend(["\t.globl ksym_" + name, "ksym_%s:" % name])
        out.extend(entries)

    array("funcs", ("\t.long %#x, %d" % (address, offsets[name])
                    for address, name in table.funcs))
    array("lines", ("\t.long %#x\n\t.short %d, %d" % line for line in table.lines))
    array("files", ("\t.long %d" % offsets[name] for name in table.files))
    array("nfuncs", ["\t.long %d" % len(table.funcs)])
    array("nlines", ["\t.long %d" % len(table.lines)])
    array("nfiles", ["\t.long %d" % len(table.files)])
    array("strings", ('\t.asciz "%s"' % s.replace("\\", "\\\\").replace('"', '\\"')
                      for s in strings))
    out.append('\t.section .note.GNU-stack, "", @progbits')
    return "\n".join(out) + "\n"


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Make the kernel's symbol table: function, file and line of each address.")
    parser.add_argument("-o", metavar="OUT", help="the assembly file to write")
    parser.add_argument("--empty", action="store_true", help="write a table without entries")
    parser.add_argument("--verify", metavar="TABLE",
                        help="fail if this is not the table of KERNEL")
    parser.add_argument("kernel", nargs="?", metavar="KERNEL", help="the linked kernel")
    args = parser.parse_args()
    if bool(args.o) == bool(args.verify):
        parser.error("give -o or --verify, not both")
    if bool(args.kernel) == args.empty:
        parser.error("give KERNEL or --empty, not both")
    return args


def main():
    args = parse_arguments()
    try:
        table = EMPTY_TABLE
        if args.kernel:
            table = make_table(read_elf(args.kernel), os.getcwd())
            if not table.funcs or not table.lines:
                raise ElfError("%s: no symbols or no line table: was it compiled with -g?"
                               % args.kernel)
        text = to_assembly(table)
        if args.o:
            with open(args.o, "w", encoding="utf-8") as f:
                f.write(text)
            return 0
        with open(args.verify, encoding="utf-8") as f:
            if f.read() == text:
                return 0
        raise ElfError("%s: code moved when %s was linked in: .ksymtab must come after"
                       " all code" % (args.kernel, args.verify))
    except (ElfError, DwarfError, OSError) as e:
        print("ksymtab: %s" % e, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
