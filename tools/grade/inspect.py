"""Looks into a machine from outside, at the end of a program: what the CPUs' registers, their task
state segments and interrupt tables, and the list of pages say. The kernel's code is not asked.

Each function is the `look` of a Check: it returns a list of complaints, which is empty for a right
kernel.
"""

import struct

from tools.grade.watch import cpu_registers

KERNBASE, KSTKSIZE, KSTKGAP = 0xf0000000, 0x8000, 0x8000
PGSIZE, IOPHYSMEM, MPENTRY_PADDR = 0x1000, 0xa0000, 0x7000
GD_KT, GD_KD, GD_TSS0 = 0x08, 0x10, 0x28
PTE_P, PTE_W, PTE_U, PTE_PS = 1, 2, 4, 0x80
TASK_GATE, INTERRUPT_GATE, TRAP_GATE = 5, 14, 15
T_BRKPT, T_OFLOW, T_SYSCALL, IRQ_OFFSET = 3, 4, 48, 32
CR0_PG, CR0_WP = 1 << 31, 1 << 16
MAX_LINES = 8  # Complaints of the same kind


class Memory:
    """The memory of a machine as one CPU sees it: by virtual addresses."""

    def __init__(self, machine, cr3):
        self._machine = machine
        self._cr3 = cr3

    def entry(self, va):
        """(physical address, permissions) of the page at va; None if nothing is mapped there. Only
        permissions that the entries of both levels have are returned."""
        pde = self._word(self._cr3 + (va >> 22) * 4)
        if not pde & PTE_P:
            return None
        if pde & PTE_PS:
            return (pde & 0xffc00000) + (va & 0x3ff000), pde & 0xfff
        pte = self._word((pde & ~0xfff) + (va >> 12 & 0x3ff) * 4)
        return (pte & ~0xfff, pte & pde & 0xfff) if pte & PTE_P else None

    def _word(self, pa):
        return int.from_bytes(self._machine.physical_memory(pa, 4), "little")

    def read(self, va, size):
        """`size` bytes at va; fewer if a page is missing."""
        data = b""
        while len(data) < size:
            found = self.entry(va + len(data))
            if not found:
                break
            offset = (va + len(data)) % PGSIZE
            step = min(size - len(data), PGSIZE - offset)
            data += self._machine.physical_memory(found[0] + offset, step)
        return data


def stack_top(cpu):
    return KERNBASE - cpu * (KSTKSIZE + KSTKGAP)


def describe_address(va, cpu, cpus):
    """What a wrong stack pointer probably is."""
    if va == stack_top(cpu) - KSTKSIZE:
        return "the bottom of its stack, so that frames go into the guard or the next stack"
    for other in range(cpus):
        if other != cpu and va == stack_top(other):
            return "the top of CPU %d's stack" % other
    if va > KERNBASE:
        return "in the direct map of physical memory, where no guard page is below the stack"
    return "not the top of a stack"


# ---- Exercise 4: the task state segments ----

def check_tss(memory, registers, number, cpus):
    selector, base, limit = (registers["TR"] + [0, 0, 0])[:3]
    if selector != GD_TSS0 + (number << 3):
        yield "CPU %d's task register is %#x, not GD_TSS0 + (%d << 3) = %#x" % (
            number, selector, number, GD_TSS0 + (number << 3))
    gdt = registers["GDT"][0]
    descriptor = memory.read(gdt + (selector & ~7), 8)
    if len(descriptor) == 8:
        low, high = struct.unpack("<II", descriptor)
        named = low >> 16 | (high & 0xff) << 16 | high & 0xff000000
        if named != base:
            yield "CPU %d loaded a TSS at %08x, but its slot of the GDT now names %08x" % (
                number, base, named)
    tss = memory.read(base, 104)
    if len(tss) < 104 or limit < 103:
        yield "CPU %d's TSS at %08x cannot be read, or is too short (limit %d)" % (
            number, base, limit)
        return
    esp0, ss0, iomb = *struct.unpack_from("<IH", tss, 4), struct.unpack_from("<H", tss, 102)[0]
    if esp0 != stack_top(number):
        yield "CPU %d's stack pointer at entry, ts_esp0, is %#010x, %s; expected " \
            "KSTACKTOP - %d * (KSTKSIZE + KSTKGAP) = %#010x" % (
                number, esp0, describe_address(esp0, number, cpus), number, stack_top(number))
    if ss0 != GD_KD:
        yield "CPU %d's ts_ss0 is %#x, not GD_KD" % (number, ss0)
    if iomb <= limit:
        yield "CPU %d's ts_iomb is %d, inside the TSS (limit %d): programs may use the I/O ports " \
            "whose bits lie there; expected sizeof(struct Taskstate)" % (number, iomb, limit)


def check_stack(memory, number):
    """The stack of a CPU, and its guard."""
    top = stack_top(number)
    for va in range(top - KSTKSIZE, top, PGSIZE):
        found = memory.entry(va)
        if not found or not found[1] & PTE_W or found[1] & PTE_U:
            yield "CPU %d's stack: page %08x is %s" % (
                number, va, "not mapped" if not found else "mapped with permissions %#x" % found[1])
    for va in range(top - KSTKSIZE - KSTKGAP, top - KSTKSIZE, PGSIZE):
        if memory.entry(va):
            yield "CPU %d's guard: page %08x is mapped, but must not be" % (number, va)


def cpus_look(machine, kernel, cpus):
    """Each CPU's TSS, stack, guard and paging."""
    complaints, pages = [], {}
    found = cpu_registers(machine)
    for number, registers in enumerate(found):
        memory = Memory(machine, registers["CR3"] & ~0xfff)
        complaints += check_tss(memory, registers, number, len(found))
        complaints += list(check_stack(memory, number))[:MAX_LINES]
        page = memory.entry(stack_top(number) - PGSIZE)
        if page and page[0] in pages:
            complaints.append("CPU %d's stack is the same memory as CPU %d's"
                              % (number, pages[page[0]]))
        if page:
            pages[page[0]] = number
        if not registers["CR0"] & CR0_PG:
            complaints.append("CPU %d runs without paging" % number)
        if not registers["CR0"] & CR0_WP:
            complaints.append("CPU %d's CR0.WP is clear" % number)
    tables = {tuple(registers["GDT"]) for registers in found}
    if len(tables) > 1:
        complaints.append("the CPUs have different GDTs: %s" % sorted(tables))
    return complaints[:MAX_LINES]


# ---- Exercise 13: the interrupt tables ----

def check_gate(vector, low, high):
    kind, dpl, present = high >> 8 & 15, high >> 13 & 3, high >> 15 & 1
    selector, offset = low >> 16, low & 0xffff | high & 0xffff0000
    name = "IRQ %d" % (vector - IRQ_OFFSET) if IRQ_OFFSET <= vector < IRQ_OFFSET + 16 \
        else "vector %d" % vector
    if not present:
        if vector < IRQ_OFFSET + 16 and vector != 15 and vector <= 19 or vector == T_SYSCALL or \
                IRQ_OFFSET <= vector < IRQ_OFFSET + 16:
            yield "the gate of %s is missing" % name
        return
    if kind == TRAP_GATE:
        yield "the gate of %s is a trap gate, which leaves interrupts on in the kernel; expected " \
            "an interrupt gate" % name
    elif kind != TASK_GATE:
        if kind != INTERRUPT_GATE or selector != GD_KT or offset < KERNBASE:
            yield "the gate of %s has type %d, selector %#x, offset %08x" % (
                name, kind, selector, offset)
    if dpl == 3 and vector not in (T_BRKPT, T_OFLOW, T_SYSCALL):
        yield "the gate of %s has privilege level 3: a program can raise it with int $%d" % (
            name, vector)
    if dpl != 3 and vector == T_SYSCALL:
        yield "the gate of the system call has privilege level %d: programs cannot call it" % dpl


def gates_look(machine, kernel, cpus):
    """Each CPU's interrupt descriptor table."""
    complaints = []
    for number, registers in enumerate(cpu_registers(machine)):
        base, limit = registers["IDT"][:2]
        count = min((limit + 1) // 8, 256)
        data = Memory(machine, registers["CR3"] & ~0xfff).read(base, count * 8)
        if len(data) < (T_SYSCALL + 1) * 8:
            complaints.append("CPU %d's interrupt table has %d gates" % (number, len(data) // 8))
            continue
        for vector in range(len(data) // 8):
            complaints += ["CPU %d: %s" % (number, text) for text in check_gate(
                vector, *struct.unpack_from("<II", data, vector * 8))]
        if complaints:
            break  # The other CPUs would say the same.
    return complaints[:MAX_LINES]


# ---- Exercise 2: the list of free pages ----

def pages_look(machine, kernel, cpus):
    """At the end, all RAM below 640 KB is free, except the BIOS's page and the page at
    MPENTRY_PADDR; and the list of free pages has exactly the pages whose pp_ref is 0."""
    layout = kernel.layout()
    if not layout:
        return ["the kernel's debugging information cannot be read"]
    kind, symbols = layout["structs"]["PageInfo"], layout["symbols"]

    def word(name):
        return int.from_bytes(machine.physical_memory(
            symbols[name]["address"] - KERNBASE, 4), "little")
    count, table = word("npages"), word("pages")
    data = machine.physical_memory(table - KERNBASE, count * kind["size"])
    link, ref = (kind["members"][name] for name in ("pp_link", "pp_ref"))

    def refs(page):
        start = page * kind["size"] + ref["offset"]
        return int.from_bytes(data[start:start + ref["size"]], "little")
    complaints = []
    entry = MPENTRY_PADDR // PGSIZE
    tables = kernel_tables(machine)
    lost = [page for page in range(1, base_pages(machine))
            if page != entry and refs(page) and page not in tables]
    if lost:
        complaints.append("%d pages below 640 KB are not free at the end, the first at %#x: page "
                          "%#x alone must be kept off the list" % (
                              len(lost), lost[0] * PGSIZE, MPENTRY_PADDR))
    if refs(entry) != 1:
        complaints.append("pp_ref of the page at MPENTRY_PADDR is %d: a page that always stays "
                          "in use has the count 1" % refs(entry))
    listed, at = set(), word("page_free_list")
    while at and at not in listed and len(listed) <= count:
        listed.add(at)
        start = at - table + link["offset"]
        at = int.from_bytes(data[start:start + 4], "little")
    free = {table + page * kind["size"] for page in range(count) if not refs(page)}
    if listed != free:
        complaints.append("%d pages have pp_ref 0, but the list of free pages has %d" % (
            len(free), len(listed)))
    return complaints


def kernel_tables(machine):
    """The page numbers of the kernel's page tables, which stay in use."""
    cr3 = cpu_registers(machine)[0]["CR3"] & ~0xfff
    entries = struct.unpack("<1024I", machine.physical_memory(cr3, PGSIZE))
    return {pde // PGSIZE for pde in entries if pde & PTE_P and not pde & PTE_PS}


def base_pages(machine):
    """The number of whole pages of RAM below the I/O hole, which the BIOS says at 0x413 in KB."""
    return int.from_bytes(machine.physical_memory(0x413, 2), "little") * 1024 // PGSIZE
