"""The commands that show page tables: `jos pgdir`, `jos va`, `jos page`.

They read page tables where the kernel maps physical memory, so they work on every CPU, with every
page directory loaded.
"""

import gdb

from tools.gdb import kernel
from tools.gdb.command import Command, number, table
from tools.gdb.kernel import constant

PAGE, LARGE = 4096, 4096 * 1024  # Bytes that an entry of a page table, or of the directory, maps
PTE_COW, PTE_SHARE = 0x800, 0x400  # For the library, not for the CPU: lib/fork.c

P, W, U, PWT, PCD, A, D, PS, G = (1 << i for i in range(9))
BITS = ((W, "writable"), (U, "user"), (PWT, "write-through"), (PCD, "not cached"),
        (A, "accessed"), (D, "dirty"), (G, "global"), (PTE_COW, "copy-on-write"),
        (PTE_SHARE, "shared"))


# ---- Page tables ----

def kern_pgdir():
    address = kernel.unsigned(kernel.variable("kern_pgdir"))
    if not address:
        raise gdb.GdbError("The kernel has not made its page directory yet: continue to mem_init.")
    return address


def directory(words):
    """The address of a page directory and its description: of the environment that a word names,
    or of the kernel (`kernel`); without a word, the one that the selected CPU has loaded."""
    if words and words[0] != "kernel":
        env = kernel.find_env(words[0])
        if not env.pgdir:
            raise gdb.GdbError("Environment %s has no page directory." % env.describe())
        return env.pgdir, "environment " + env.describe()
    if words:
        return kern_pgdir(), "the kernel"
    address = kernel.physical(kernel.register("cr3") & ~0xFFF)
    if address is None:
        raise gdb.GdbError("CR3 is %#x: not a page directory of the kernel." % (
            kernel.register("cr3")))
    for env in kernel.environments():
        if env.pgdir == address:
            return address, "environment " + env.describe()
    return address, "the kernel"


def table_words(entry):
    """The entries of the page table to which a directory entry points; none if it lies outside the
    memory that the kernel maps."""
    address = kernel.physical(entry & ~0xFFF)
    return kernel.words(address, 1024) if address is not None else []


def entries(pgdir, first=0, last=1024):
    """Yields (address, size, entry, physical address) of all mappings that the directory entries
    first to last-1 make. The entry has W and U only if the directory entry has them, too."""
    for i, pde in enumerate(kernel.words(pgdir, 1024)[first:last], first):
        if not pde & P:
            continue
        if pde & PS:
            yield i * LARGE, LARGE, pde, pde & ~(LARGE - 1)
            continue
        for j, pte in enumerate(table_words(pde)):
            if pte & P:
                yield (i * LARGE + j * PAGE, PAGE, pte & (pde | ~(W | U)) & ~PS, pte & ~0xFFF)


def rights(entry):
    """What the kernel and programs may do with a page."""
    write = "rw" if entry & W else "r-"
    return "kernel %s  user %s" % (write, write if entry & U else "--")


def extras(entry, hidden=W | U | A | D):
    """The names of an entry's other bits."""
    return ", ".join(name for bit, name in BITS if entry & bit and not bit & hidden)


def region(va):
    """The name of a part of the address space: inc/memlayout.h."""
    stacks = constant("KSTACKTOP") - va - 1
    step = constant("KSTKSIZE") + constant("KSTKGAP")
    for name, text in (("KERNBASE", "physical memory"), ("MMIOLIM", ""),
                       ("MMIOBASE", "device registers"), ("UVPT", "page tables (UVPT)"),
                       ("UPAGES", "pages[]"), ("UENVS", "envs[]"),
                       ("USTACKTOP", "exception stack"), ("UTEXT", "")):
        if va >= constant(name):
            if name == "MMIOLIM":
                return "%s stack" % ("kernel" if stacks // step < constant("NCPU")
                                     else "double-fault")
            if name == "UTEXT":
                return "stack" if va >= constant("USTACKTOP") - PAGE else "program"
            return text
    return "scratch"


class Range:
    """Mappings that follow each other and have the same rights; or the stacks of all CPUs, which
    have the same rights and size, and guards between them."""

    def __init__(self, va, size, entry, pa):
        self.start, self.end, self.region = va, va + size, region(va)
        self.entry = self.same = entry & ~(A | D | PS | 0xFFFFF000)
        if self.start >= constant("UVPT") and self.end <= constant("ULIM"):
            self.same &= W | U  # The other bits belong to the tables, not to this mapping of them.
        self.first, self.next = pa, pa + size  # `next` is None if the pages are not in order.
        self.count, self.size = 1, size

    def take(self, other):
        """Add another range and return True, if it continues this one."""
        if other.start != self.end or other.same != self.same or other.region != self.region:
            return False
        self.end = other.end
        self.size = self.end - self.start
        self.next = other.next if other.first == self.next else None
        return True

    def take_stack(self, other):
        """Add the stack of another CPU and return True, if both ranges are stacks."""
        if (not self.region.endswith(" stack") or other.region != self.region
                or (other.same, other.size) != (self.same, self.size)):
            return False
        self.end, self.count, self.next = other.end, self.count + 1, None
        return True

    def row(self):
        size = self.size // 1024
        text = "%d MB" % (size // 1024) if size % 1024 == 0 else "%d KB" % size
        what = ", ".join(filter(None, (self.region, extras(self.same))))
        return ("%08x-%08x" % (self.start, self.end - 1), text, rights(self.entry),
                "%08x" % self.first if self.next else "various",
                "%d times: %s, with guards" % (self.count, what) if self.count > 1 else what)


def ranges(pgdir):
    """All mappings of a page directory, merged to a list of Range."""
    found = []
    for mapping in entries(pgdir):
        new = Range(*mapping)
        if not found or not found[-1].take(new):
            found.append(new)
    merged = []
    for new in found:
        if not merged or not merged[-1].take_stack(new):
            merged.append(new)
    return merged


class Pgdir(Command):
    """Show a page directory as ranges of addresses: jos pgdir [ENV]
ENV is the id of an environment, or `kernel`; without it, the page directory that this CPU has
loaded. Pages that follow each other and have the same rights are one range. PHYSICAL is the
physical address of the first page, or "various" if the pages are not in order."""

    NAME = "pgdir"
    MOST = 1

    def run(self, words):
        pgdir, owner = directory(words)
        yield "Page directory of %s, at physical address %08x:" % (
            owner, pgdir - constant("KERNBASE"))
        rows = [("ADDRESSES", "SIZE", "RIGHTS", "PHYSICAL", "WHAT")]
        yield from table(rows + [r.row() for r in ranges(pgdir)])


# ---- One address ----

def bits(entry):
    return ", ".join(["present", *(name for bit, name in BITS if entry & bit)])


class Va(Command):
    """Translate a virtual address step by step, as the CPU does: jos va VA [ENV]
VA is an expression, for example 0x800020 or &envs[0]. ENV is the id of an environment, or
`kernel`; without it, the page directory that this CPU has loaded."""

    NAME = "va"
    MOST = 2

    def run(self, words):
        if not words:
            raise gdb.GdbError("Which address? Type: help jos va")
        va = number(words[0], "The address")
        pgdir, owner = directory(words[1:])
        yield "%08x = directory entry %d, table entry %d, offset %#x" % (
            va, va >> 22, va >> 12 & 0x3FF, va & 0xFFF)
        pde = yield from self.step("Page directory of " + owner, pgdir, va >> 22)
        if not pde & P:
            yield "  not present: an access is a page fault"
            return
        if pde & PS:
            yield "  maps 4 MB, from physical address %08x: %s" % (pde & ~(LARGE - 1), bits(pde))
            yield from self.result(pde, pde & ~(LARGE - 1) | va & (LARGE - 1))
            return
        yield "  the page table is at physical address %08x: %s" % (pde & ~0xFFF, bits(pde & 0x1F))
        yield from self.second_step(pde, va)

    def second_step(self, pde, va):
        base = kernel.physical(pde & ~0xFFF)
        if base is None:
            yield "  this is outside the memory that the kernel uses"
            return
        pte = yield from self.step("Page table", base, va >> 12 & 0x3FF)
        if not pte & P:
            yield "  not present: an access is a page fault"
            return
        yield "  the page is at physical address %08x: %s" % (pte & ~0xFFF, bits(pte & ~PS))
        yield from self.result(pte & (pde | ~(W | U)), pte & ~0xFFF | va & 0xFFF)

    @staticmethod
    def step(name, base, index):
        """Print an entry of a table, and return it."""
        address = base + 4 * index
        entry = kernel.words(address, 1)[0]
        yield "%s, at %08x: entry %d, at %08x, is %08x" % (
            name, base - constant("KERNBASE"), index, address - constant("KERNBASE"), entry)
        return entry

    @staticmethod
    def result(entry, pa):
        where = kernel.physical(pa)
        yield "Physical address %08x%s; %s" % (
            pa, ", for the kernel also at %08x" % where if where else "", rights(entry))
        if pa // PAGE < int(kernel.variable("npages")):
            yield "pages[%d].pp_ref is %d" % (
                pa // PAGE, kernel.variable("pages")[pa // PAGE]["pp_ref"])


# ---- One physical page ----

class Page(Command):
    """Show who uses a physical page: jos page PA
PA is a physical address: an expression. The answer names each mapping of the page, below UTOP in
all environments and above UTOP in the kernel's page directory, and whether the page is a page
directory or a page table."""

    NAME = "page"
    MOST = 1

    def run(self, words):
        if not words:
            raise gdb.GdbError("Which physical address? Type: help jos page")
        pa = number(words[0], "The address") & ~0xFFF
        if pa // PAGE < int(kernel.variable("npages")):
            count = int(kernel.variable("pages")[pa // PAGE]["pp_ref"])
            yield "Page %08x: pages[%d].pp_ref is %d%s" % (
                pa, pa // PAGE, count, "" if count else ": free, or in use since the boot")
        else:
            yield "Page %08x: not one of the %d pages of RAM that the kernel uses" % (
                pa, kernel.variable("npages"))
        for env in filter(lambda env: env.pgdir, kernel.environments()):
            yield from self.uses(pa, env.pgdir, env.describe(), 0, constant("UTOP") // LARGE)
        yield from self.uses(pa, kern_pgdir(), "the kernel", constant("UTOP") // LARGE, 1024)

    @staticmethod
    def uses(pa, pgdir, owner, first, last):
        """The uses of a page in some entries of a page directory. The page tables at UVPT are
        not mappings of their own."""
        if pgdir - constant("KERNBASE") == pa:
            yield "  the page directory of " + owner
        uvpt = constant("UVPT") // LARGE
        for i, pde in enumerate(kernel.words(pgdir, 1024)[first:last], first):
            if pde & (P | PS) == P and pde & ~0xFFF == pa and i != uvpt:
                yield "  the page table of %s for %08x-%08x" % (
                    owner, i * LARGE, (i + 1) * LARGE - 1)
        for va, size, entry, start in entries(pgdir, first, last):
            if start <= pa < start + size and va // LARGE != uvpt:
                yield "  mapped at %08x by %s: %s%s" % (
                    va + pa - start, owner, rights(entry),
                    ", " + extras(entry) if extras(entry) else "")


def register():
    for command in (Pgdir, Va, Page):
        command()
