"""Read the sections and symbols of 32-bit little-endian ELF files.

The structures are those of the System V ABI, chapter 4, with the names that inc/elf.h uses. Every
offset and index is checked: an ElfError says what is wrong with the file.
"""

import struct
import zlib
from collections import namedtuple

Section = namedtuple("Section", "name type flags addr offset size link info addralign entsize")
Symbol = namedtuple("Symbol", "name value size type bind section")

SHT_SYMTAB = 2
SHT_NOBITS = 8

SHF_WRITE = 1
SHF_ALLOC = 2
SHF_EXECINSTR = 4
SHF_COMPRESSED = 0x800

STT_NOTYPE = 0
STT_FUNC = 2
STB_LOCAL = 0

EHDR = struct.Struct("<16sHHIIIIIHHHHHH")
SHDR = struct.Struct("<10I")
SYM = struct.Struct("<IIIBBH")
CHDR = struct.Struct("<III")


class ElfError(Exception):
    """The file is not an ELF file that we can read. The text says why."""


def string_at(table, offset):
    """The NUL-terminated string at an offset in a string table."""
    end = table.find(b"\0", offset)
    if offset >= len(table) or end < 0:
        raise ElfError("a string lies outside its table")
    return table[offset:end].decode("utf-8", "replace")


class ElfFile:
    """An ELF file held in memory. `sections` is a list in the file's order, `entry` an address."""

    def __init__(self, data):
        self.data = data
        if len(data) < EHDR.size or data[:4] != b"\x7fELF":
            raise ElfError("not an ELF file")
        if data[4:6] != b"\x01\x01":
            raise ElfError("not a 32-bit little-endian ELF file")
        header = EHDR.unpack_from(data)
        self.entry = header[4]
        shoff, shentsize, shnum, shstrndx = header[6], header[11], header[12], header[13]
        if shnum and shentsize != SHDR.size:
            raise ElfError("section headers of %d bytes" % shentsize)
        self._read_sections(shoff, shnum, shstrndx)

    def _read_sections(self, shoff, shnum, shstrndx):
        if shoff + shnum * SHDR.size > len(self.data):
            raise ElfError("the section headers lie outside the file")
        self.sections = [Section(*SHDR.unpack_from(self.data, shoff + i * SHDR.size))
                         for i in range(shnum)]
        if shstrndx >= shnum:
            return
        names = self.contents(self.sections[shstrndx])
        self.sections = [s._replace(name=string_at(names, s.name)) for s in self.sections]

    def section(self, name):
        """The section with that name, or None."""
        return next((s for s in self.sections if s.name == name), None)

    def contents(self, section):
        """The bytes of a section, given as a Section or by name; b"" if it does not exist."""
        if isinstance(section, str):
            section = self.section(section)
        if section is None or section.type == SHT_NOBITS:
            return b""
        if section.offset + section.size > len(self.data):
            raise ElfError("section %s lies outside the file" % section.name)
        data = self.data[section.offset:section.offset + section.size]
        if section.flags & SHF_COMPRESSED:
            data = zlib.decompress(data[CHDR.size:])
        return data

    def code_sections(self):
        """The sections with instructions, sorted by address."""
        code = SHF_ALLOC | SHF_EXECINSTR
        return sorted((s for s in self.sections if s.flags & code == code and s.size),
                      key=lambda s: s.addr)

    def symbols(self):
        """All symbols with a name. The section of a symbol is a Section, or None."""
        symtab = next((s for s in self.sections if s.type == SHT_SYMTAB), None)
        if symtab is None:
            return []
        if symtab.link >= len(self.sections):
            raise ElfError("the symbol table has no strings")
        data = self.contents(symtab)
        strings = self.contents(self.sections[symtab.link])
        result = []
        for name, value, size, info, _, shndx in SYM.iter_unpack(data):
            if name:
                section = self.sections[shndx] if 0 < shndx < len(self.sections) else None
                result.append(Symbol(string_at(strings, name), value, size,
                                     info & 15, info >> 4, section))
        return result

    def symbol(self, name):
        """The symbol with that name, or None."""
        return next((s for s in self.symbols() if s.name == name), None)

    def offset_of(self, address):
        """The offset in the file of the byte that is loaded at `address`."""
        for s in self.sections:
            if (s.flags & SHF_ALLOC and s.type != SHT_NOBITS
                    and s.addr <= address < s.addr + s.size):
                return s.offset + address - s.addr
        raise ElfError("no byte of the file is loaded at %#x" % address)


def read_elf(path):
    """Read the ELF file at a path. The path is part of error messages."""
    try:
        with open(path, "rb") as f:
            return ElfFile(f.read())
    except ElfError as e:
        raise ElfError("%s: %s" % (path, e)) from None
