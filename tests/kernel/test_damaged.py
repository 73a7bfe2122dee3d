"""Damaged user programs in the kernel: each is refused with a reason, and other programs run.

The kernel contains its programs as ELF images, listed in the table `programs` (kern/programs.h).
In a copy of the kernel, the headers of several programs are damaged, each in another way.
"""

import re
import struct

from tests.support import TREE, KernelTest
from tools.build.elffile import read_elf, string_at
from host.test_elf import EHDR, PHDR
from tools.build.mkimage import make_image

# Each reason for a refusal, with the damages that cause it: pairs of changed fields, in the ELF
# header and in the header of the last loadable segment.
ABOVE = {"filesz": 0, "memsz": 0x1000}
DAMAGES = {
    "not an ELF": [({"magic": 0}, {})],
    "not 32-bit little-endian": [({"class": 2}, {}), ({"data": 2}, {})],
    "unknown ELF version": [({"version": 0}, {})],
    "not for this processor": [({"machine": 62}, {})],
    "not an executable": [({"type": 1}, {})],
    "no program headers": [({"phnum": 0}, {})],
    "program headers of a wrong size": [({"phentsize": 1}, {})],
    "program headers beyond the end of the file": [
        ({"phnum": 0xffff}, {}), ({"phoff": 0x7fffffff}, {}), ({"phoff": 0xffffffe0}, {})],
    "entry point outside of the code": [
        ({"entry": 0}, {}), ({"entry": 0xf0100000}, {}), ({"entry": 0xeebfdff0}, {})],
    "segment larger in the file than in memory": [({}, {"filesz": 0x11, "memsz": 0x10})],
    "segment beyond the end of the file": [
        ({}, {"offset": 0x100000, "filesz": 1, "memsz": 1}),
        ({}, {"offset": 0xfffff000, "filesz": 0x2000, "memsz": 0x2000})],
    "segment outside of the program's memory": [
        ({}, {"memsz": 0xffffffff}), ({}, {"memsz": 0xff900000}),
        *(({}, {"va": va, **ABOVE})
          for va in (0, 0xeebfd000, 0xeec00000, 0xef400000, 0xf0100000, 0xfffff000))],
    "overlapping segments": [({}, {"va": 0x800000, **ABOVE})],
}


# struct Program in kern/programs.h: name, folder, image, size, lines.
PROGRAM = struct.Struct("<IIIII")
SIZE_OFFSET = 12


class Kernel:
    """A copy of the kernel's file, and the offsets of the programs in it."""

    def __init__(self, path):
        self.elf = read_elf(path)
        self.data = bytearray(self.elf.data)
        self.images = {}
        at = self.elf.offset_of(self.elf.symbol("programs").value)
        end = self.elf.offset_of(self.elf.symbol("programs_end").value - 1)
        while at < end:
            name, _, image, _, _ = PROGRAM.unpack_from(self.data, at)
            name = string_at(self.elf.data, self.elf.offset_of(name))
            self.images[name] = self.elf.offset_of(image)
            at += PROGRAM.size

    def put(self, at, place, value):
        offset, size = place
        self.data[at + offset:at + offset + size] = value.to_bytes(size, "little")

    def get(self, at, place):
        offset, size = place
        return int.from_bytes(self.data[at + offset:at + offset + size], "little")

    def last_segment(self, program):
        """The offset of the header of a program's last loadable segment."""
        image = self.images[program]
        first = image + self.get(image, EHDR["phoff"])
        headers = [first + 32 * i for i in range(self.get(image, EHDR["phnum"]))]
        return [h for h in headers
                if self.get(h, PHDR["type"]) == 1 and self.get(h, PHDR["memsz"])][-1]

    def damage(self, program, header, segment):
        last = self.last_segment(program)
        for name, value in segment.items():
            self.put(last, PHDR[name], value)
        for name, value in header.items():
            self.put(self.images[program], EHDR[name], value)


class DamagedTest(KernelTest):
    def boot_damaged(self, damages):
        """Boot with damaged programs between two good ones. Returns the reason printed for each
        damaged program."""
        kernel = Kernel(self.kernel())
        victims = sorted(set(kernel.images) - {"yield", "hello"})[:len(damages)]
        self.assertEqual(len(victims), len(damages), "too few programs to damage")
        for victim, (header, segment) in zip(victims, damages):
            kernel.damage(victim, header, segment)
        output = self.run_image(kernel.data, "yield %s hello" % " ".join(victims))
        self.assert_lines(output, [r"All done in environment 0000.00.\.", "hello, world"],
                          no=[".*panic.*", ".*user fault.*"])
        said = dict(re.findall(r"(?m)^(\w+): cannot be loaded: (.+?)\r?$", output))
        return [said.get(victim) for victim in victims]

    def run_image(self, kernel, cmdline):
        boot = TREE.read_obj("boot", "boot")
        return self.start(disk=make_image(boot, bytes(kernel), cmdline)).run_to_prompt()

    def test_each_damage_is_refused_with_its_reason(self):
        waiting = [(text, damage) for text, damages in DAMAGES.items() for damage in damages]
        while waiting:
            now, waiting = waiting[:8], waiting[8:]
            answers = self.boot_damaged([damage for _, damage in now])
            for (text, damage), answer in zip(now, answers):
                with self.subTest(damage=damage):
                    self.assertEqual(answer, text)

    def test_truncated_programs_are_refused(self):
        """Programs are cut off in the header or after it: less than 600 bytes are left."""
        kernel = Kernel(self.kernel())
        table = kernel.elf.offset_of(kernel.elf.symbol("programs").value)
        victims = []
        for i, name in enumerate(kernel.images):
            if name not in ("hello", "yield"):
                struct.pack_into("<I", kernel.data, table + PROGRAM.size * i + SIZE_OFFSET,
                                 41 * i % 600)
                victims.append(name)
        for some in (victims[:16], victims[16:]):
            output = self.run_image(kernel.data, "yield %s hello" % " ".join(some[:16]))
            self.assert_lines(output, ["hello, world",
                                       *("%s: cannot be loaded: .+" % name for name in some[:16])],
                              no=[".*panic.*"])
