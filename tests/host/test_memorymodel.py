"""tools/see/memory.py on memory images that this test makes: a small machine with a kernel, free
pages and environments. Each test damages a correct image, and the model must name the damage."""

import re
import struct
import unittest

from tools.see.layout import CONSTANTS
from tools.see.memory import Memory, MemoryImageError

BASE, PAGE = CONSTANTS["KERNBASE"], 4096
P, W, U, SHARE, COW = 1, 2, 4, 0x400, 0x800
NPAGES = 0x140
KERNEL = 0x100  # The kernel's pages are 0x100 to 0x10f
VARIABLES, PGDIR, PAGES, FOUND, ENVS, ENVS_END = 0x102, 0x103, 0x104, 0x105, 0x106, 0x110
FREE = 0x110    # Pages from here on are free at first
TEXT, STACK = 0x800000, 0xeebfd000

ENV_MEMBERS = ("env_id", "env_parent_id", "env_status", "env_oncpu", "env_stopped", "env_cpunum",
               "env_runs", "env_program", "env_pgdir", "env_fpu")
VARIABLE_NAMES = ("pages", "npages", "page_free_list", "kern_pgdir", "found", "envs", "ncpu",
                  "kernel_lock", "panicstr", "env_free_list")


def make_layout():
    def members(names):
        return {"size": 4 * len(names), "members": {
            name: {"offset": 4 * i, "size": 4} for i, name in enumerate(names)}}
    symbols = {name: {"address": BASE + VARIABLES * PAGE + 4 * i, "size": 4}
               for i, name in enumerate(VARIABLE_NAMES)}
    for name, page in (("stext", 0x100), ("etext", 0x101), ("erodata", 0x102), ("edata", 0x103),
                       ("end", 0x103), ("programs", 0x101), ("programs_end", 0x102)):
        symbols[name] = {"address": BASE + page * PAGE, "size": 0}
    for name, offset in (("cpus", 0x100), ("percpu_kstacks", 0x200), ("percpu_dfstacks", 0x300)):
        symbols[name] = {"address": BASE + VARIABLES * PAGE + offset, "size": 8}
    return {"symbols": symbols, "constants": CONSTANTS, "enums": {}, "structs": {
        "PageInfo": members(("pp_link", "pp_ref")), "Env": members(ENV_MEMBERS),
        "Program": members(("name", "folder")), "CpuInfo": members(("cpu_status", "cpu_env"))}}


class Machine:
    """A machine with correct memory, to which a test adds environments and mistakes."""

    def __init__(self):
        self.layout = make_layout()
        self.data = bytearray(NPAGES * PAGE)
        self.next = FREE
        self.slots = 0
        self.taken = {}  # {page: pp_ref}
        for name, page in (("pages", PAGES), ("kern_pgdir", PGDIR), ("found", FOUND),
                           ("envs", ENVS)):
            self.set_variable(name, BASE + page * PAGE)
        self.set_variable("npages", NPAGES)
        self.set_variable("ncpu", 1)

    def word(self, pa, value=None):
        if value is not None:
            struct.pack_into("<I", self.data, pa, value)
        return struct.unpack_from("<I", self.data, pa)[0]

    def set_variable(self, name, value):
        self.word(self.layout["symbols"][name]["address"] - BASE, value)

    def take(self):
        """Take a free page for one use. Returns its number."""
        self.next += 1
        self.taken[self.next - 1] = 1
        return self.next - 1

    def add_env(self, **members):
        """Add an environment with an empty address space. Returns its slot."""
        pgdir = self.take()
        values = dict({"env_id": 0x1000 + self.slots, "env_status": 2, "env_runs": 1,
                       "env_pgdir": BASE + pgdir * PAGE}, **members)
        for name, value in values.items():
            self.set_env(self.slots, name, value)
        self.word(pgdir * PAGE + (CONSTANTS["UVPT"] >> 22) * 4, pgdir * PAGE | P | U)
        self.slots += 1
        return self.slots - 1

    def env_address(self, slot, name):
        return ENVS * PAGE + slot * 4 * len(ENV_MEMBERS) + 4 * ENV_MEMBERS.index(name)

    def set_env(self, slot, name, value):
        self.word(self.env_address(slot, name), value)

    def directory(self, slot):
        """The physical address of an environment's page directory."""
        return self.word(self.env_address(slot, "env_pgdir")) - BASE

    def entry(self, slot, va):
        """The physical address of the page table entry of va. Adds a page table."""
        pde = self.directory(slot) + (va >> 22) * 4
        if not self.word(pde):
            self.word(pde, self.take() * PAGE | P | W | U)
        return (self.word(pde) & ~0xfff) + (va >> 12 & 0x3ff) * 4

    def map(self, slot, va, perm, page=None):
        """Map a page, or a new page, and count it. Returns its number."""
        if page is None:
            page = self.take()
        else:
            self.taken[page] += 1
        self.word(self.entry(slot, va), page * PAGE | perm)
        return page

    def memory(self, refs=None):
        """The model. refs: {page: its wrong pp_ref}."""
        free = [page for page in range(1, NPAGES) if page not in self.taken
                and not KERNEL <= page < ENVS_END]
        counts = {**self.taken, **(refs or {})}
        self.set_variable("page_free_list", BASE + PAGES * PAGE + 8 * free[0])
        for page, following in zip(free, free[1:] + [None]):
            self.word(PAGES * PAGE + 8 * page,
                      0 if following is None else BASE + PAGES * PAGE + 8 * following)
        for page in range(NPAGES):
            reserved = page == 0 or KERNEL <= page < ENVS_END
            self.word(PAGES * PAGE + 8 * page + 4, 1 if reserved else counts.get(page, 0))
            self.word(FOUND * PAGE + 4 * page, CONSTANTS["PAGE_RESERVED"] if reserved else 0)
        return Memory(bytes(self.data), self.layout)


class MemoryModelTest(unittest.TestCase):
    def setUp(self):
        self.machine = Machine()
        self.first, self.second = self.machine.add_env(), self.machine.add_env()
        self.text = self.machine.map(self.first, TEXT, P | U)
        self.machine.map(self.second, TEXT, P | U, self.text)
        self.stack = self.machine.map(self.first, STACK, P | W | U)

    def check(self, page, pattern, **options):
        """The model must have exactly one error, about this page and with this text."""
        memory = self.machine.memory(**options)
        self.assertEqual([error["page"] for error in memory.errors], [page], memory.errors)
        self.assertRegex(memory.errors[0]["text"], "^%s$" % pattern)

    def test_correct_memory(self):
        memory = self.machine.memory()
        self.assertEqual((memory.errors, memory.notes), ([], []))
        self.assertEqual(memory.used, len(self.machine.taken))
        self.assertEqual([memory.kind(p) for p in (0, KERNEL, FREE + 10, self.text, self.stack)],
                         ["unusable", "kernel", "free", "read", "private"])
        self.assertEqual([env.program for env in memory.envs], ["?", "?"])
        model = memory.describe()
        self.assertEqual(sum(run[1] for run in model["pages"]), NPAGES)
        self.assertEqual(model["details"][self.text]["uses"],
                         [[0, "page", TEXT, self.text * PAGE | P | U],
                          [1, "page", TEXT, self.text * PAGE | P | U]])

    def test_references(self):
        self.check(self.stack, "page 0x%08x has 2 references, 1 mappings found"
                   % (self.stack * PAGE), refs={self.stack: 2})
        self.check(self.text, r"page 0x%08x has 1 references, 2 mappings found: \[00001000\] and "
                   r"\[00001001\] map it, so one of them maps a page of another environment"
                   % (self.text * PAGE), refs={self.text: 1})

    def test_free_page_that_is_mapped(self):
        self.machine.word(self.machine.entry(self.first, STACK - PAGE), 0x20 * PAGE | P | U)
        memory = self.machine.memory()
        self.assertEqual({error["page"] for error in memory.errors}, {0x20})
        self.assertIn("page 0x00020000 is on the free list, but in use",
                      [error["text"] for error in memory.errors])

    def test_lost_page(self):
        self.machine.taken[0x20] = 0
        self.check(0x20, "page 0x00020000 is lost: neither in use nor free")

    def test_page_tables_of_another_environment(self):
        for target in (self.machine.entry(self.second, TEXT) >> 12,
                       self.machine.directory(self.second) >> 12, KERNEL + 1):
            with self.subTest(page=hex(target)):
                self.machine.word(self.machine.entry(self.first, STACK - PAGE),
                                  target * PAGE | P | U)
                texts = [error["text"] for error in self.machine.memory().errors]
                self.assertIn("page 0x%08x is the kernel's, but mapped elsewhere: by [00001000]"
                              % (target * PAGE), texts)

    def test_page_table_of_another_environment_that_is_counted(self):
        table = self.machine.entry(self.second, TEXT) >> 12
        self.machine.map(self.first, STACK - PAGE, P | U, table)
        self.check(table, r"page 0x%08x is the kernel's, but mapped elsewhere: by \[00001000\]"
                   % (table * PAGE))

    def test_forbidden_bits(self):
        for bits in (P | U | 0x100, P | W):
            entry = self.stack * PAGE | bits
            self.machine.word(self.machine.entry(self.first, STACK), entry)
            self.check(self.stack, r"\[00001000\] va 0xeebfd000 is mapped as %08x" % entry)

    def test_page_directory(self):
        pde = self.machine.directory(self.first) + (CONSTANTS["UVPT"] >> 22) * 4
        self.machine.word(pde, self.machine.word(pde) | W)
        self.check(pde >> 12, r"\[00001000\] env_pgdir\[%d\] is \w{8}, not \w{8}"
                   % (CONSTANTS["UVPT"] >> 22))

    def test_page_that_does_not_exist(self):
        self.machine.word(self.machine.entry(self.first, STACK - PAGE), 0xffff000 | P | U)
        self.check(None, "there is no page 0x0ffff000, but a mapping of it")

    def test_bad_pointers(self):
        self.machine.set_env(self.first, "env_pgdir", 0x12345000)
        texts = [error["text"] for error in self.machine.memory().errors]
        self.assertIn("[00001000] has the page directory 0x12345000, which is no page", texts)
        machine = Machine()
        machine.memory()
        machine.word(PAGES * PAGE + 8 * 0x20, 0xc)  # pp_link
        texts = [e["text"] for e in Memory(bytes(machine.data), machine.layout).errors]
        self.assertIn("the list of free pages has the bad pointer 0xc", texts)
        machine.word(PAGES * PAGE + 8 * 0x20, BASE + PAGES * PAGE + 8 * 0x10)  # A cycle
        texts = [e["text"] for e in Memory(bytes(machine.data), machine.layout).errors]
        self.assertIn("page 0x00010000 is on the free list twice", texts)

    def share(self, first_bits, second_bits):
        page = self.machine.map(self.first, STACK - PAGE, P | U | first_bits)
        self.machine.map(self.second, STACK - PAGE, P | U | second_bits, page)
        return page

    def test_copy_on_write(self):
        page = self.share(COW, COW)
        memory = self.machine.memory()
        self.assertEqual((memory.errors, memory.notes, memory.kind(page)), ([], [], "cow"))
        self.machine.word(self.machine.entry(self.second, STACK - PAGE), page * PAGE | P | U | W)
        self.check(page, r"page 0x%08x is copy-on-write in \[00001000\], but \[00001001\] can "
                   r"write to it" % (page * PAGE))

    def test_child_that_fork_is_making(self):
        self.machine.set_env(self.second, "env_stopped", 1)
        self.machine.set_env(self.second, "env_runs", 0)
        page = self.share(W, COW)
        self.assertEqual(self.machine.memory().errors, [])
        self.machine.set_env(self.second, "env_stopped", 0)
        self.check(page, r".* is copy-on-write in \[00001001\], but \[00001000\] can write to it")

    def test_notes(self):
        for bits, notes in (((W | COW, W | COW), []), ((W | SHARE, W | SHARE), []),
                            ((W, W), ["unmarked"]), ((0, W), [])):
            with self.subTest(bits=bits):
                self.setUp()
                self.share(*bits)
                memory = self.machine.memory()
                self.assertEqual(memory.errors, [])
                self.assertEqual([note["kind"] for note in memory.notes], notes)
        self.setUp()
        self.machine.map(self.first, STACK - PAGE, P | U | COW)
        memory = self.machine.memory()
        self.assertEqual((memory.errors, [n["kind"] for n in memory.notes]), ([], ["alone"]))

    def test_memory_before_it_is_set_up(self):
        self.machine.set_variable("pages", 0)
        with self.assertRaisesRegex(MemoryImageError, re.escape("has not set up its memory yet")):
            Memory(bytes(self.machine.data), self.machine.layout)
