"""Read types from the debugging information (.debug_info) that compilers write to ELF files: the
members of structs, and the values of enumerators.

Supports DWARF versions 2 to 5 in the 32-bit format, as GCC and clang write it (DWARF 5 standard,
chapter 7; the older versions differ in the headers). An entry has a tag, attributes and children.
Each attribute has a form, which says how its value is stored.
"""

from collections import namedtuple

from tools.build.dwarfline import DwarfError, Reader

# A member of a struct. size: in bytes; of an array, of all elements together. count: the number of
# elements of an array, otherwise None.
Member = namedtuple("Member", "offset size count")
Struct = namedtuple("Struct", "size members")

TAG_ARRAY, TAG_ENUMERATOR, TAG_MEMBER, TAG_POINTER = 0x01, 0x28, 0x0d, 0x0f
TAG_COMPILE_UNIT, TAG_STRUCT, TAG_TYPEDEF, TAG_UNION, TAG_SUBRANGE = 0x11, 0x13, 0x16, 0x17, 0x21
TAG_CONST, TAG_VOLATILE = 0x26, 0x35

AT_NAME, AT_BYTE_SIZE, AT_CONST_VALUE, AT_UPPER_BOUND, AT_COUNT = 0x03, 0x0b, 0x1c, 0x2f, 0x37
AT_MEMBER_LOCATION, AT_DECLARATION, AT_TYPE, AT_STR_OFFSETS_BASE = 0x38, 0x3c, 0x49, 0x72

OP_PLUS_UCONST = 0x23
POINTER_SIZE = 4

# Forms with a number of a fixed size, with a number of a variable size, and with bytes.
FIXED = {0x01: 4, 0x05: 2, 0x06: 4, 0x07: 8, 0x0b: 1, 0x0c: 1, 0x10: 4, 0x11: 1, 0x12: 2, 0x13: 4,
         0x14: 8, 0x17: 4, 0x1c: 4, 0x1d: 4, 0x1e: 16, 0x20: 8, 0x24: 8, 0x29: 1, 0x2a: 2, 0x2b: 3,
         0x2c: 4}
ULEB = {0x0f, 0x15, 0x1b, 0x22, 0x23}
FORM_SDATA, FORM_INDIRECT, FORM_FLAG_PRESENT, FORM_IMPLICIT_CONST = 0x0d, 0x16, 0x19, 0x21
BLOCKS = {0x03: 2, 0x04: 4, 0x0a: 1, 0x09: None, 0x18: None}  # None: the length is a uleb
FORM_STRING, FORM_STRP, FORM_LINE_STRP, FORM_STRX = 0x08, 0x0e, 0x1f, 0x1a
STRX_SIZES = {0x25: 1, 0x26: 2, 0x27: 3, 0x28: 4}
RELATIVE_REFERENCES = {0x11, 0x12, 0x13, 0x14, 0x15}  # To an offset in the unit

UNIT_COMPILE = 0x01


class Entry:
    """An entry of a unit. `attributes` has the attributes that this file uses."""

    def __init__(self, tag, attributes):
        self.tag = tag
        self.attributes = attributes
        self.children = []

    def get(self, attribute, default=None):
        return self.attributes.get(attribute, default)


class Types:
    """The types that an ElfFile describes."""

    def __init__(self, elf):
        self._info = elf.contents(".debug_info")
        self._abbrevs = elf.contents(".debug_abbrev")
        self._strings = {FORM_STRP: elf.contents(".debug_str"),
                         FORM_LINE_STRP: elf.contents(".debug_line_str")}
        self._str_offsets = elf.contents(".debug_str_offsets")
        self._tables = {}

    def find(self, structs, enumerators):
        """({name: Struct}, {name: value}) of the structs and enumerators with these names. What
        does not exist is left out."""
        found_structs, found_values = {}, {}
        for entries in self._units():
            for entry in entries.values():
                name = entry.get(AT_NAME)
                if entry.tag == TAG_STRUCT and name in structs and name not in found_structs \
                        and not entry.get(AT_DECLARATION):
                    found_structs[name] = self._struct(entry, entries)
                elif entry.tag == TAG_ENUMERATOR and name in enumerators:
                    found_values[name] = entry.get(AT_CONST_VALUE)
            if len(found_structs) == len(structs) and len(found_values) == len(enumerators):
                break
        return found_structs, found_values

    # ---- Types ----

    def _struct(self, entry, entries):
        members = {}
        for child in entry.children:
            if child.tag == TAG_MEMBER and child.get(AT_NAME):
                size, count = self._size(child.get(AT_TYPE), entries)
                members[child.get(AT_NAME)] = Member(child.get(AT_MEMBER_LOCATION, 0), size, count)
        return Struct(entry.get(AT_BYTE_SIZE), members)

    def _size(self, offset, entries):
        """The size of the type at an offset, and the number of its elements if it is an array."""
        entry = entries[offset]
        if entry.tag == TAG_ARRAY:
            count = 1
            for child in entry.children:
                if child.tag == TAG_SUBRANGE:
                    count *= child.get(AT_COUNT, child.get(AT_UPPER_BOUND, -1) + 1)
            return count * self._size(entry.get(AT_TYPE), entries)[0], count
        if entry.tag == TAG_POINTER:
            return entry.get(AT_BYTE_SIZE, POINTER_SIZE), None
        if entry.get(AT_BYTE_SIZE) is not None:
            return entry.get(AT_BYTE_SIZE), None
        return self._size(entry.get(AT_TYPE), entries)  # A typedef, const or volatile

    # ---- Units and entries ----

    def _units(self):
        """Yields the entries of each unit: {offset in .debug_info: Entry}."""
        pos = 0
        try:
            while pos < len(self._info):
                reader = Reader(self._info, pos)
                length = reader.unsigned(4)
                if length >= 0xfffffff0:
                    raise DwarfError("debugging information in the 64-bit DWARF format")
                end = reader.pos + length
                yield self._unit(reader, pos, end)
                pos = end
        except (IndexError, KeyError, ValueError):
            raise DwarfError("damaged debugging information") from None

    def _unit(self, reader, start, end):
        version = reader.unsigned(2)
        if not 2 <= version <= 5:
            raise DwarfError("debugging information of version %d" % version)
        if version >= 5:
            kind = reader.unsigned(1)
            reader.pos += 1  # Size of an address
            abbrevs = self._abbrev_table(reader.unsigned(4))
            if kind != UNIT_COMPILE:
                return {}
        else:
            abbrevs = self._abbrev_table(reader.unsigned(4))
            reader.pos += 1
        entries, parents, base = {}, [], 8
        while reader.pos < end:
            offset = reader.pos
            code = reader.uleb()
            if code == 0:
                if parents:
                    parents.pop()
                continue
            tag, has_children, specs = abbrevs[code]
            entry = Entry(tag, {})
            for attribute, form, constant in specs:
                entry.attributes[attribute] = self._value(reader, form, constant, start)
            base = entry.get(AT_STR_OFFSETS_BASE, base)
            entry.attributes[AT_NAME] = self._name(entry.get(AT_NAME), base)
            location = entry.get(AT_MEMBER_LOCATION)
            if isinstance(location, bytes):  # DWARF 2: an expression that adds a number
                entry.attributes[AT_MEMBER_LOCATION] = Reader(location, 1).uleb()
            entries[offset] = entry
            if parents:
                parents[-1].children.append(entry)
            if has_children:
                parents.append(entry)
        return entries

    def _abbrev_table(self, offset):
        """{code: (tag, has children, [(attribute, form, constant)])}"""
        if offset not in self._tables:
            reader, table = Reader(self._abbrevs, offset), {}
            while True:
                code = reader.uleb()
                if code == 0:
                    break
                tag, has_children, specs = reader.uleb(), reader.unsigned(1), []
                while True:
                    attribute, form = reader.uleb(), reader.uleb()
                    constant = reader.sleb() if form == FORM_IMPLICIT_CONST else None
                    if attribute == 0 and form == 0:
                        break
                    specs.append((attribute, form, constant))
                table[code] = tag, has_children, specs
            self._tables[offset] = table
        return self._tables[offset]

    # ---- Values of attributes ----

    def _value(self, reader, form, constant, start):
        if form in FIXED:
            value = reader.unsigned(FIXED[form])
            return value + start if form in RELATIVE_REFERENCES else value
        if form in ULEB:
            value = reader.uleb()
            return value + start if form in RELATIVE_REFERENCES else value
        if form == FORM_SDATA:
            return reader.sleb()
        if form in BLOCKS:
            length = reader.unsigned(BLOCKS[form]) if BLOCKS[form] else reader.uleb()
            reader.pos += length
            return reader.data[reader.pos - length:reader.pos]
        if form == FORM_FLAG_PRESENT:
            return 1
        if form == FORM_IMPLICIT_CONST:
            return constant
        if form == FORM_INDIRECT:
            return self._value(reader, reader.uleb(), None, start)
        return self._string(reader, form)

    def _string(self, reader, form):
        """A string: the text, or (index,) in .debug_str_offsets."""
        if form == FORM_STRING:
            return reader.string()
        if form in self._strings:
            return form, reader.unsigned(4)
        if form == FORM_STRX:
            return None, reader.uleb()
        if form in STRX_SIZES:
            return None, reader.unsigned(STRX_SIZES[form])
        raise DwarfError("debugging information that uses form %#x" % form)

    def _name(self, value, base):
        """The text of a name: it is looked up only here, because most strings are not names."""
        if not isinstance(value, tuple):
            return value
        form, number = value
        if form is None:
            number = Reader(self._str_offsets, base + 4 * number).unsigned(4)
            form = FORM_STRP
        return Reader(self._strings[form], number).string()
