#!/usr/bin/env python3
"""Where the kernel's data is: addresses of variables, and offsets of the members of structs.

    layout.py KERNEL -o FILE.json

KERNEL is the kernel's ELF file. make writes obj/kern/layout.json, for tools that read the memory of
a machine from outside. The file has an object with these keys:

    symbols     {name: {"address", "size"}} of the variables and labels in SYMBOLS
    structs     {name: {"size", "members": {name: {"offset", "size", "count"}}}} of STRUCTS. `count`
                is the number of elements of an array; members that are no arrays have no count
    enums       {name: value} of ENUMS
    constants   {name: value}: CONSTANTS

Addresses are virtual. Sizes and offsets are in bytes.
"""

import argparse
import json
import os
import sys

sys.path.insert(0, os.path.abspath(__file__ + "/../../.."))  # The project's root

from tools.build.dwarfinfo import Types
from tools.build.dwarfline import DwarfError
from tools.build.elffile import ElfError, read_elf
from tools.run.tool import ToolError, run_tool

SYMBOLS = (
    # Memory. `found` has a word per page: kern/check/audit.c.
    "pages", "npages", "page_free_list", "kern_pgdir", "found",
    "stext", "etext", "erodata", "edata", "end", "programs", "programs_end",
    "percpu_kstacks", "percpu_dfstacks",
    # Environments and CPUs
    "envs", "env_free_list", "cpus", "ncpu", "kernel_lock", "panicstr",
)
STRUCTS = ("PageInfo", "Env", "EnvQueue", "Program", "Trapframe", "PushRegs", "CpuInfo",
           "spinlock")
ENUMS = ("ENV_FREE", "ENV_DYING", "ENV_RUNNABLE", "ENV_RUNNING", "ENV_NOT_RUNNABLE",
         "CPU_UNUSED", "CPU_STARTING", "CPU_STARTED", "CPU_POLLING", "CPU_HALTED", "CPU_STOPPED")

# Debugging information has no macros, so these are copies. tests/tools/test_layoutjson.py compares
# them with the headers.
CONSTANTS = {
    "PGSIZE": 4096, "PTSIZE": 0x400000, "NENV": 1024,
    "KERNBASE": 0xf0000000, "KERNMAX": 0x10000000, "ULIM": 0xef800000, "UVPT": 0xef400000,
    "UTOP": 0xeec00000, "UXSTACKTOP": 0xeec00000, "USTACKTOP": 0xeebfe000, "UTEXT": 0x800000,
    "IOPHYSMEM": 0xa0000, "EXTPHYSMEM": 0x100000, "MPENTRY_PADDR": 0x7000, "GD_TSS0": 0x28,
    "PTE_P": 0x001, "PTE_W": 0x002, "PTE_U": 0x004, "PTE_A": 0x020, "PTE_D": 0x040,
    "PTE_PS": 0x080, "PTE_SHARE": 0x400, "PTE_COW": 0x800, "PTE_SYSCALL": 0xe07,
    "PAGE_RESERVED": 0x80000000, "PAGE_ADDED": 0x08000000,
}


class LayoutError(ToolError):
    """The kernel's ELF file lacks something. The text says what."""


def find_symbols(elf):
    found = {}
    for symbol in elf.symbols():
        if symbol.name in SYMBOLS:
            if symbol.name in found:
                raise LayoutError("the kernel has two symbols called %s" % symbol.name)
            found[symbol.name] = {"address": symbol.value, "size": symbol.size}
    return found


def describe(struct):
    """A Struct of dwarfinfo.py as in the JSON file."""
    members = {}
    for name, member in struct.members.items():
        members[name] = {"offset": member.offset, "size": member.size}
        if member.count is not None:
            members[name]["count"] = member.count
    return {"size": struct.size, "members": members}


def read_layout(path):
    """The layout of the kernel in the ELF file at `path`, as the module's text describes it."""
    try:
        elf = read_elf(path)
        symbols = find_symbols(elf)
        structs, enums = Types(elf).find(STRUCTS, ENUMS)
    except (ElfError, DwarfError) as e:
        raise LayoutError("%s: %s" % (path, e)) from None
    missing = [name for names, found in ((SYMBOLS, symbols), (STRUCTS, structs), (ENUMS, enums))
               for name in names if name not in found]
    if missing:
        raise LayoutError("%s has no %s" % (path, ", ".join(missing)))
    return {"symbols": symbols, "structs": {name: describe(s) for name, s in structs.items()},
            "enums": enums, "constants": CONSTANTS}


def main():
    parser = argparse.ArgumentParser(description="Write where the kernel's data is, as JSON.")
    parser.add_argument("kernel", metavar="KERNEL", help="the kernel's ELF file")
    parser.add_argument("-o", "--output", metavar="FILE", required=True)
    args = parser.parse_args()
    text = json.dumps(read_layout(args.kernel), indent=1, sort_keys=True) + "\n"
    with open(args.output, "w", encoding="utf-8") as f:
        f.write(text)
    return 0


if __name__ == "__main__":
    run_tool(main)
