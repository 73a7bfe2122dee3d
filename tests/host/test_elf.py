"""kern/elf.c, compiled for the host and run on valid and damaged images.

The driver reads images from its standard input and prints a result for each. It places an image
right before a page that cannot be read, so a read beyond the end of the image crashes it.
"""

import os
import random
import shutil
import struct
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

LOW, HIGH = 0x1000, 0xeebfd000

DRIVER = r"""
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define ssize_t jos_ssize_t // These types differ from the host's.
#define off_t jos_off_t
#include <kern/elf.h>

#define AREA (1 << 20)

int
main(void)
{
	unsigned char *area = mmap(NULL, AREA + 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned size, va, offset;
	struct ElfProgram p;

	mprotect(area + AREA, 4096, PROT_NONE);
	while (scanf("%u %u%*c", &size, &va) == 2) {
		unsigned char *image = area + AREA - size;
		if (fread(image, 1, size, stdin) != size)
			return 2;
		const char *wrong = elf_check(image, size, LOW, HIGH, &p);
		if (wrong) {
			printf("refused %s\n", wrong);
		} else {
			printf("accepted %u", p.entry);
			for (int i = 0; i < p.nsegments; i++)
				printf(" %u:%u:%u:%u:%u", p.segments[i].p_offset, p.segments[i].p_va,
				    p.segments[i].p_filesz, p.segments[i].p_memsz, p.segments[i].p_flags);
			printf("\n");
		}
		const char *name = elf_function_at(image, size, va, &offset);
		if (name)
			printf("%s+%u\n", name, offset);
		else
			printf("?\n");
	}
	return 0;
}
"""

# Offset and size of each field: see inc/elf.h.
EHDR = {"magic": (0, 4), "class": (4, 1), "data": (5, 1), "ident_version": (6, 1),
        "type": (16, 2), "machine": (18, 2), "version": (20, 4), "entry": (24, 4),
        "phoff": (28, 4), "shoff": (32, 4), "ehsize": (40, 2), "phentsize": (42, 2),
        "phnum": (44, 2), "shentsize": (46, 2), "shnum": (48, 2), "shstrndx": (50, 2)}
PHDR = {"type": (0, 4), "offset": (4, 4), "va": (8, 4), "pa": (12, 4), "filesz": (16, 4),
        "memsz": (20, 4), "flags": (24, 4), "align": (28, 4)}
SHDR = {"name": (0, 4), "type": (4, 4), "offset": (16, 4), "size": (20, 4), "link": (24, 4)}

PHOFF, SHOFF, TEXT, DATA, SYMS, STRS = 52, 116, 0x1000, 0x2000, 0x2800, 0x2900


def make_image():
    """A valid program: text and data segments, a symbol table, a string table."""
    image = bytearray(0x2a00)
    struct.pack_into("<4sBBB9xHHIIIIIHHHHHH", image, 0, b"\x7fELF", 1, 1, 1, 2, 3, 1,
                     0x800020, PHOFF, SHOFF, 0, 52, 32, 2, 40, 3, 0)
    struct.pack_into("<8I", image, PHOFF, 1, TEXT, 0x800000, 0, 0x123, 0x123, 5, 0x1000)
    struct.pack_into("<8I", image, PHOFF + 32, 1, DATA, 0x801000, 0, 0x10, 0x2010, 6, 0x1000)
    struct.pack_into("<10I", image, SHOFF + 40, 0, 2, 0, 0, SYMS, 4 * 16, 2, 0, 4, 16)
    struct.pack_into("<10I", image, SHOFF + 80, 0, 3, 0, 0, STRS, 14, 0, 0, 1, 0)
    for i, (name, value, size, info) in enumerate(
            [(0, 0, 0, 0), (1, 0x800020, 0x30, 0x12), (7, 0x800050, 0, 0x12),
             (11, 0x800100, 4, 0x11)]):
        struct.pack_into("<IIIBBH", image, SYMS + 16 * i, name, value, size, info, 0, 1)
    image[STRS:STRS + 14] = b"\0umain\0fun\0da\0"
    return image


def header(**fields):
    return [(*EHDR[name], value) for name, value in fields.items()]


def segment(i, **fields):
    return [(PHOFF + 32 * i + PHDR[name][0], PHDR[name][1], value)
            for name, value in fields.items()]


def section(i, **fields):
    return [(SHOFF + 40 * i + SHDR[name][0], SHDR[name][1], value)
            for name, value in fields.items()]


def patched(changes, image=None):
    image = bytearray(image or make_image())
    for offset, size, value in changes:
        image[offset:offset + size] = value.to_bytes(size, "little")
    return bytes(image)


REFUSED = {
    "magic": header(magic=0x464c457e),
    "class 64": header(**{"class": 2}),
    "big-endian": header(data=2),
    "identification version": header(ident_version=0),
    "version": header(version=2),
    "relocatable": header(type=1),
    "machine": header(machine=62),
    "header size": header(ehsize=51),
    "no segments": header(phnum=0),
    "program header size": header(phentsize=31),
    "program headers beyond the end": header(phoff=0x2a00 - 63),
    "program headers wrap around": header(phoff=0xfffffff0),
    "0xffff segments": header(phnum=0xffff),
    "entry before the code": header(entry=0x7fffff),
    "entry after the code": header(entry=0x800123),
    "entry in data": header(entry=0x801000),
    "entry zero": header(entry=0),
    "file size larger than memory size": segment(1, filesz=0x11, memsz=0x10),
    "segment beyond the end": segment(1, filesz=0xa01, memsz=0xa01),
    "segment offset": segment(1, offset=0x3000),
    "segment offset wraps around": segment(1, offset=0xfffff000, filesz=0x2000, memsz=0x2000),
    "segment size of 4 GB": segment(1, filesz=0xffffffff, memsz=0xffffffff),
    "memory wraps around": segment(1, memsz=0xff800000),
    "memory wraps to the start": segment(1, memsz=0xffffffff),
    "on page 0": segment(1, va=0),
    "below the lowest address": segment(1, va=LOW - 0x1000),
    "one byte of the stack": segment(1, va=HIGH - 0x1000, memsz=0x1001),
    "above UTOP": segment(1, va=0xeec00000),
    "in the kernel": segment(1, va=0xf0100000),
    "at the end of the address space": segment(1, va=0xfffff000, memsz=0x1000),
    "overlapping at the start": segment(1, va=0x800000),
    "overlapping by a byte": segment(1, va=0x7ff000, memsz=0x1001),
    "one segment inside the other": segment(0, memsz=0x4000),
    "alignment of three": segment(1, align=3),
    "not aligned": segment(1, va=0x801004),
}

ACCEPTED = {
    "unchanged": [],
    "alignment of zero": segment(1, align=0, va=0x801004),
    "empty segment in the kernel": segment(1, va=0xf0000000, memsz=0, filesz=0),
    "segment that is not loaded": segment(1, type=4, va=0xf0000000, memsz=0xffffffff),
    "up to the stack": segment(1, va=HIGH - 0x1000, memsz=0x1000),
    "no sections": header(shoff=0, shnum=0),
    "sections beyond the end": header(shoff=0xffffff00),
    "up to the end of the file": segment(1, filesz=0xa00),
}

UNNAMED = {
    "no sections": header(shnum=0),
    "section headers beyond the end": header(shoff=0x2a00 - 119),
    "section headers wrap around": header(shoff=0xffffffc0),
    "section header size": header(shentsize=39),
    "symbols beyond the end": section(1, offset=0x29f0),
    "symbols wrap around": section(1, offset=0xfffffff0, size=0x40),
    "symbols of 4 GB": section(1, size=0xffffffff),
    "no such string table": section(1, link=3),
    "another section as string table": section(1, link=1),
    "strings beyond the end": section(2, offset=0x2a00 - 5, size=6),
    "name without an end": section(2, size=6),
    "name beyond the strings": [(SYMS + 16, 4, 14)],
}


class ElfTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="jos-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        source = os.path.join(cls.dir, "driver.c")
        cls.driver = os.path.join(cls.dir, "driver")
        with open(source, "w", encoding="utf-8") as f:
            f.write(DRIVER)
        done = subprocess.run(["cc", "-g", "-O1", "-fno-builtin", "-I" + ROOT,
                               "-DLOW=%#x" % LOW, "-DHIGH=%#x" % HIGH, "-o", cls.driver, source,
                               os.path.join(ROOT, "kern", "elf.c"),
                               os.path.join(ROOT, "kern", "check", "elfsyms.c")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        if done.returncode:
            raise AssertionError(done.stdout)

    def ask(self, questions):
        """questions: pairs (image, va). Returns pairs (output of elf_check, of elf_function_at)."""
        text = b"".join(b"%d %d\n%b" % (len(image), va, image) for image, va in questions)
        done = subprocess.run([self.driver], input=text, stdout=subprocess.PIPE, timeout=600)
        lines = done.stdout.decode("latin-1").split("\n")[:-1]
        answers = list(zip(lines[::2], lines[1::2]))
        self.assertEqual((done.returncode, len(answers)), (0, len(questions)),
                         "crashed on image %d" % len(answers))
        return answers

    def check(self, changes):
        return self.ask([(patched(changes), 0x800020)])[0][0]

    def test_good_image_is_accepted(self):
        self.assertEqual(self.check([]),
                         "accepted %u %u:%u:%u:%u:5 %u:%u:%u:%u:6" % (
                             0x800020, TEXT, 0x800000, 0x123, 0x123,
                             DATA, 0x801000, 0x10, 0x2010))

    def test_bad_images_are_refused(self):
        reasons = set()
        for name, changes in REFUSED.items():
            with self.subTest(name):
                answer = self.check(changes)
                self.assertRegex(answer, "^refused .+")
                reasons.add(answer)
        self.assertGreater(len(reasons), 12)

    def test_unusual_images_are_accepted(self):
        for name, changes in ACCEPTED.items():
            with self.subTest(name):
                self.assertRegex(self.check(changes), "^accepted ")

    def test_up_to_16_segments_are_accepted(self):
        for count, verdict in ((16, "accepted"), (17, "refused"), (200, "refused")):
            with self.subTest(count=count):
                image = make_image() + bytes(count * 32)
                for i in range(count):
                    struct.pack_into("<8I", image, 0x2a00 + i * 32, 1, TEXT,
                                     0x800000 + i * 0x1000, 0, 0x100, 0x100, 5, 0x1000)
                image = patched(header(phoff=0x2a00, phnum=count), image)
                self.assertRegex(self.ask([(image, 0)])[0][0], "^" + verdict)

    def test_truncation_at_each_byte_is_safe(self):
        image = patched([])
        answers = self.ask([(image[:size], 0x800020) for size in range(len(image))])
        for size, (verdict, name) in enumerate(answers):
            self.assertEqual(verdict.split()[0], "accepted" if size >= 0x2010 else "refused", size)
            self.assertEqual(name, "umain+0" if size >= STRS + 14 else "?", size)

    def test_address_is_named_by_its_function(self):
        wanted = {0x80001f: "?", 0x800020: "umain+0", 0x80004f: "umain+47", 0x800050: "fun+0",
                  0x800100: "fun+176", 0: "?", 0xffffffff: "fun+%d" % (0xffffffff - 0x800050)}
        answers = self.ask([(patched([]), va) for va in wanted])
        self.assertEqual([name for _, name in answers], list(wanted.values()))

    def test_damaged_symbol_table_gives_no_names(self):
        for name, changes in UNNAMED.items():
            with self.subTest(name):
                self.assertEqual(self.ask([(patched(changes), 0x800020)])[0][1], "?")

    def test_random_damage_is_refused_or_harmless(self):
        source = random.Random(4)
        spots = [s for fields, base in ((EHDR, 0), (PHDR, PHOFF), (PHDR, PHOFF + 32),
                                        (SHDR, SHOFF + 40), (SHDR, SHOFF + 80))
                 for s in ((base + offset, size) for offset, size in fields.values())]
        questions = []
        for _ in range(5000):
            changes = []
            for _ in range(source.randint(1, 3)):
                offset, size = source.choice(spots)
                value = source.choice([0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x2a00,
                                       0x800000, 0xeebfd000, source.getrandbits(32),
                                       source.randrange(0x3000)])
                changes.append((offset, size, value % (1 << 8 * size)))
            questions.append((patched(changes), source.choice([0x800020, 0x800060, 0xffffffff])))
        accepted = 0
        for (image, _), (verdict, _) in zip(questions, self.ask(questions)):
            if verdict.startswith("accepted"):
                accepted += 1
                self.assert_harmless(len(image), verdict)
        self.assertTrue(0 < accepted < len(questions))

    def assert_harmless(self, size, verdict):
        """Accepted segments must lie within the file and the program's memory, without overlap."""
        entry, *segments = verdict.split()[1:]
        spans, in_code = [], False
        for text in segments:
            offset, va, filesz, memsz, flags = map(int, text.split(":"))
            self.assertTrue(filesz <= memsz and offset + filesz <= size, verdict)
            self.assertTrue(LOW <= va and va + memsz <= HIGH, verdict)
            in_code |= bool(flags & 1) and va <= int(entry) < va + filesz
            spans.append((va, va + memsz))
        spans.sort()
        self.assertTrue(all(a[1] <= b[0] for a, b in zip(spans, spans[1:])), verdict)
        self.assertTrue(in_code, verdict)


if __name__ == "__main__":
    unittest.main()
