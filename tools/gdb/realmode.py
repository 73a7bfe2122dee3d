"""16-bit code: the boot sector, and the start of the other CPUs.

GDB disassembles by the description of the machine's registers, which QEMU gives once: 32 bits. GDB
shows 16-bit code if it gets the same description with another name of the architecture.
"""

import contextlib
import os
import re
import tempfile

import gdb

from tools.gdb import kernel
from tools.gdb.command import Command, count, number

_before = None  # The settings to restore, while GDB disassembles 16-bit code


def description():
    """QEMU's description of the registers, for an 8086."""
    text = gdb.execute("maint print xml-tdesc", to_string=True)
    text = re.sub(r"<osabi>.*?</osabi>\s*", "", text)
    return re.sub(r"<architecture>.*?</architecture>",
                  "<architecture>i8086</architecture>", text)


def begin():
    """Make GDB disassemble 16-bit code."""
    global _before
    if _before is None:
        with tempfile.NamedTemporaryFile("w", suffix=".xml", delete=False) as f:
            f.write(description())
        before = gdb.parameter("tdesc filename") or "", gdb.parameter("osabi")
        try:
            for command in ("set osabi none", "set tdesc filename " + f.name,
                            "set architecture i8086"):
                gdb.execute(command, to_string=True)
            _before = before
        finally:
            os.remove(f.name)


def end():
    """Make GDB disassemble 32-bit code again."""
    global _before
    if _before is not None:
        file, osabi = _before
        _before = None
        for command in ("set tdesc filename " + file if file else "unset tdesc filename",
                        "set architecture auto", "set osabi " + str(osabi)):
            gdb.execute(command, to_string=True)


def follow_cpu():
    """Disassemble as the selected CPU decodes: called at each stop. Not in the BIOS, where QEMU
    starts: when GDB changes the architecture, it makes new locations for all breakpoints, and then
    finds no number for the location at which the machine has stopped."""
    with contextlib.suppress(gdb.error, gdb.GdbError):
        if kernel.in_real_mode() and linear_pc() < kernel.constant("IOPHYSMEM"):
            begin()
        else:
            end()


class X16(Command):
    """Disassemble 16-bit code: jos x16 [ADDRESS] [COUNT]
ADDRESS is an expression, at first the address of the next instruction. x/i does the same while the
CPU is in real mode; this command does it in every mode, also for code that has run before."""

    NAME = "x16"
    NEEDS_KERNEL = False
    MOST = 2

    def run(self, words):
        address = number(words[0], "The address") if words else linear_pc()
        address = mapped(address)
        lines = count(words[1]) if len(words) > 1 else 8
        was_on = _before is not None
        begin()
        try:
            text = gdb.execute("x/%di %#x" % (lines, address), to_string=True)
        finally:
            if not was_on:
                end()
        return text.rstrip("\n").split("\n")


def linear_pc():
    """The address of the next instruction. In real mode, it is not just eip."""
    pc = kernel.register("eip")
    return kernel.register("cs") * 16 + pc if kernel.in_real_mode() else pc


def mapped(address):
    """The address of 16-bit code that the selected CPU can read. Once the kernel has its own page
    directory, physical memory is only above KERNBASE."""
    try:
        kernel.read(address, 1)
    except gdb.MemoryError:
        if kernel.kernel_runs() and address < kernel.constant("IOPHYSMEM"):
            return kernel.physical(address)
    return address


def register():
    X16()
