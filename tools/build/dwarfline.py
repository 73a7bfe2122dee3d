"""Read the line number tables (.debug_line) that compilers and assemblers write to ELF files.

Supports DWARF versions 2 to 5 in the 32-bit format, as GCC, clang and the GNU assembler write it
(DWARF 5 standard, section 6.2; the older versions differ only in the header). Each table is a
line number program for a small state machine. The program produces rows: the source file and line
of the instructions from the row's address to the next row's. The rows of a sequence are in the
order of addresses, without gaps.
"""

import os
import posixpath
from collections import namedtuple

# One sequence. rows: [(address, file name or None, line)], in the order of addresses. end: the
# first address after the last instruction.
Sequence = namedtuple("Sequence", "rows end")

# Standard opcodes.
LNS_COPY, LNS_ADVANCE_PC, LNS_ADVANCE_LINE, LNS_SET_FILE = 1, 2, 3, 4
LNS_CONST_ADD_PC, LNS_FIXED_ADVANCE_PC = 8, 9

# Extended opcodes.
LNE_END_SEQUENCE, LNE_SET_ADDRESS = 1, 2

# The fields of a file in a DWARF 5 header (LNCT) and their encodings (FORM).
LNCT_PATH, LNCT_DIRECTORY_INDEX = 1, 2
FORM_DATA2, FORM_DATA4, FORM_DATA8, FORM_STRING = 0x05, 0x06, 0x07, 0x08
FORM_BLOCK, FORM_DATA1, FORM_STRP, FORM_UDATA = 0x09, 0x0b, 0x0e, 0x0f
FORM_DATA16, FORM_LINE_STRP = 0x1e, 0x1f
FORM_SIZES = {FORM_DATA1: 1, FORM_DATA2: 2, FORM_DATA4: 4, FORM_DATA8: 8, FORM_DATA16: 16}


class DwarfError(Exception):
    """The line tables have a format that this reader does not support, or are damaged."""


class Reader:
    """Reads numbers and strings from bytes, and advances its position."""

    def __init__(self, data, pos=0):
        self.data = data
        self.pos = pos

    def unsigned(self, size):
        self.pos += size
        return int.from_bytes(self.data[self.pos - size:self.pos], "little")

    def signed_byte(self):
        byte = self.unsigned(1)
        return byte - 256 if byte > 127 else byte

    def uleb(self):
        value = shift = 0
        while True:
            byte = self.data[self.pos]
            self.pos += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    def sleb(self):
        start = self.pos
        value = self.uleb()
        bits = 7 * (self.pos - start)
        return value - (1 << bits) if value >> (bits - 1) else value

    def string(self):
        end = self.data.index(b"\0", self.pos)
        text = self.data[self.pos:end].decode("utf-8", "replace")
        self.pos = end + 1
        return text


class LineTables:
    """The line tables of an ElfFile. Names of files below `root` are made relative to it."""

    def __init__(self, elf, root=""):
        self.data = elf.contents(".debug_line")
        self.strings = {FORM_STRP: elf.contents(".debug_str"),
                        FORM_LINE_STRP: elf.contents(".debug_line_str")}
        self.root = root

    def sequences(self):
        """All sequences of all tables, sorted by address."""
        result = []
        pos = 0
        try:
            while pos < len(self.data):
                reader = Reader(self.data, pos)
                length = reader.unsigned(4)
                if length >= 0xfffffff0:
                    raise DwarfError("a line table in the 64-bit DWARF format")
                pos = reader.pos + length
                self._table(reader, pos, result)
        except (IndexError, ValueError):
            raise DwarfError("a damaged line table") from None
        return sorted(result, key=lambda s: s.rows[0][0])

    def _table(self, reader, end, result):
        version = reader.unsigned(2)
        if not 2 <= version <= 5:
            raise DwarfError("a line table of version %d" % version)
        if version >= 5:
            reader.pos += 2  # address_size, segment_selector_size
        header_length = reader.unsigned(4)
        program = reader.pos + header_length
        min_inst_length = reader.unsigned(1)
        if version >= 4:
            reader.pos += 1  # maximum_operations_per_instruction: 1 on x86
        reader.pos += 1      # default_is_stmt
        line_base = reader.signed_byte()
        line_range = reader.unsigned(1)
        opcode_base = reader.unsigned(1)
        arguments = [0] + [reader.unsigned(1) for _ in range(opcode_base - 1)]
        files = self._files_v5(reader) if version >= 5 else self._files_v2(reader)
        reader.pos = program
        run_program(reader, end, files, arguments, min_inst_length, line_base, line_range, result)

    def _files_v2(self, reader):
        """File names of DWARF 2 to 4. Directory 0 is the compiler's; file 0 does not exist."""
        dirs = [""]
        while reader.data[reader.pos]:
            dirs.append(reader.string())
        reader.pos += 1
        files = [None]
        while reader.data[reader.pos]:
            name = reader.string()
            directory = reader.uleb()
            reader.uleb()  # Time
            reader.uleb()  # Size
            files.append(self._name("", dirs[directory], name))
        return files

    def _files_v5(self, reader):
        """File names of DWARF 5. The header lists the fields and their encodings."""
        dirs = [entry.get(LNCT_PATH, "") for entry in self._entries(reader)]
        here = dirs[0] if dirs else ""
        files = []
        for entry in self._entries(reader):
            directory = entry.get(LNCT_DIRECTORY_INDEX, 0)
            files.append(self._name(here, dirs[directory], entry.get(LNCT_PATH, "")))
        return files

    def _entries(self, reader):
        formats = [(reader.uleb(), reader.uleb()) for _ in range(reader.unsigned(1))]
        return [{content: self._form(reader, form) for content, form in formats}
                for _ in range(reader.uleb())]

    def _form(self, reader, form):
        if form == FORM_STRING:
            return reader.string()
        if form in self.strings:
            return Reader(self.strings[form], reader.unsigned(4)).string()
        if form == FORM_UDATA:
            return reader.uleb()
        if form in FORM_SIZES:
            return reader.unsigned(FORM_SIZES[form])
        if form == FORM_BLOCK:
            reader.pos += reader.uleb()
            return None
        raise DwarfError("a line table that uses form %#x" % form)

    def _name(self, here, directory, name):
        path = posixpath.normpath(posixpath.join(here, directory, name))
        for root in (here, self.root):
            if root and path.startswith(root.rstrip("/") + "/"):
                return os.path.relpath(path, root)
        return path


def run_program(reader, end, files, arguments, min_inst_length, line_base, line_range, result):
    """Run the line number program that ends at position `end`; append its sequences to `result`."""
    opcode_base = len(arguments)
    address, file, line, rows = 0, 1, 1, []

    while reader.pos < end:
        opcode = reader.unsigned(1)
        if opcode >= opcode_base:
            step, line_step = divmod(opcode - opcode_base, line_range)
            address += step * min_inst_length
            line += line_base + line_step
            rows.append((address, files[file], line))
        elif opcode == 0:
            length = reader.uleb()
            following = reader.pos + length
            opcode = reader.unsigned(1)
            if opcode == LNE_SET_ADDRESS:
                address = reader.unsigned(length - 1)
            elif opcode == LNE_END_SEQUENCE:
                if rows and rows[0][0] < address:
                    result.append(Sequence(rows, address))
                address, file, line, rows = 0, 1, 1, []
            reader.pos = following
        elif opcode == LNS_COPY:
            rows.append((address, files[file], line))
        elif opcode == LNS_ADVANCE_PC:
            address += reader.uleb() * min_inst_length
        elif opcode == LNS_ADVANCE_LINE:
            line += reader.sleb()
        elif opcode == LNS_SET_FILE:
            file = reader.uleb()
        elif opcode == LNS_CONST_ADD_PC:
            address += (255 - opcode_base) // line_range * min_inst_length
        elif opcode == LNS_FIXED_ADVANCE_PC:
            address += reader.unsigned(2)
        else:
            for _ in range(arguments[opcode]):
                reader.uleb()
