"""A model of a machine's memory: who uses each physical page, what each environment maps, and what
is wrong.

The model is made from an image of physical memory and a layout (layout.py), without help from the
kernel's code. It checks the same rules about pages as the kernel's audit (kern/check/audit.c), with
the same words, and one rule about programs. Errors:

- pp_ref differs from the number of mappings found: a count was forgotten, or a page that is still
  mapped was given to another environment
- a page is free but in use, or neither free nor in use
- a page of the kernel (also the page table of an environment) is mapped by an environment
- an entry of a page table or page directory has bits that it must not have
- a page is copy-on-write in one environment while another can write to it: then one environment
  sees what the other writes. This can only be a program's mistake

Notes say what can be right, but is worth a look:

- a copy-on-write page that only one environment maps. It is no error: it is what remains when the
  other environment has made its copy or has ended. The next write copies the page once more
- a page that several environments can write to without PTE_SHARE and without sfork's mark. The
  system call sys_page_map and messages do this
"""

import struct
from bisect import bisect_right

from tools.run.tool import ToolError

FREE, LOST, UNUSABLE, KERNEL, STACK, KERNEL_TABLE, DIRECTORY, TABLE, FPU, PRIVATE, COW, READ, \
    SHARED = KINDS = ("free", "lost", "unusable", "kernel", "stack", "kernel table", "directory",
                      "table", "fpu", "private", "cow", "read", "shared")

STATUSES = ("FREE", "DYING", "RUNNABLE", "RUNNING", "NOT_RUNNABLE")
CPU_STATUSES = ("UNUSED", "STARTING", "STARTED", "POLLING", "HALTED", "STOPPED")

MAX_NAME = 64


class MemoryImageError(ToolError):
    """The image has no memory of a kernel that has set up its memory."""


class Image:
    """Typed access to an image of physical memory, through the kernel's mapping at KERNBASE."""

    def __init__(self, data, layout):
        self.data = data
        self.symbols, self.structs = layout["symbols"], layout["structs"]
        self.constants, self.enums = layout["constants"], layout["enums"]

    def pa(self, va):
        """The physical address of a kernel virtual address, or None if the image has no such
        byte."""
        pa = va - self.constants["KERNBASE"]
        return pa if 0 <= pa < len(self.data) else None

    def number(self, pa, size=4):
        return int.from_bytes(self.data[pa:pa + size], "little")

    def words(self, pa, count):
        """`count` words of 4 bytes at a physical address; fewer at the end of the image."""
        count = max(min(count, (len(self.data) - pa) // 4), 0)
        return struct.unpack_from("<%dI" % count, self.data, pa)

    def variable(self, name):
        """The value of a variable with at most 4 bytes."""
        symbol = self.symbols[name]
        return self.number(self.pa(symbol["address"]), min(symbol["size"], 4))

    def member(self, kind, pa, name):
        """The value of a member of a struct `kind` at pa."""
        member = self.structs[kind]["members"][name]
        return self.number(pa + member["offset"], member["size"])

    def string(self, va):
        """The string at a kernel virtual address; "?" if there is none."""
        pa = self.pa(va)
        if pa is None:
            return "?"
        return self.data[pa:pa + MAX_NAME].split(b"\0")[0].decode("utf-8", "replace")


class Env:
    """An environment that is in use."""

    def __init__(self, image, slot, pa):
        def get(name):
            return image.member("Env", pa, name)
        self.slot = slot
        self.id, self.parent = get("env_id"), get("env_parent_id")
        status = get("env_status")
        self.status = STATUSES[status] if status < len(STATUSES) else "status %d" % status
        self.oncpu, self.cpu, self.runs = get("env_oncpu"), get("env_cpunum"), get("env_runs")
        self.started = not get("env_stopped") or self.runs > 0
        program = image.pa(get("env_program"))
        self.program = "?" if program is None or not get("env_program") \
            else image.string(image.member("Program", program, "name"))
        self.pgdir, self.fpu = get("env_pgdir"), get("env_fpu")
        self.maps = []  # (virtual address, page, entry), in the order of addresses

    @property
    def name(self):
        return "[%08x]" % self.id


class Memory:
    """The model. Attributes: npages, envs (those in use, in the order of slots), refs (pp_ref of
    each page), uses ({page: [(Env, kind, virtual address, entry)]}), errors and notes: lists of
    {"page", "env", "text"}, where page and env can be None; env is a slot."""

    def __init__(self, data, layout):
        self.image = Image(data, layout)
        self.c = self.image.constants
        self.errors, self.notes, self.uses = [], [], {}
        self._read_pages()
        self._read_environments()
        self._check_kern_pgdir()
        for env in self.envs:
            self._read_space(env)
        self._read_free_list()
        self._check_pages()
        self._check_sharing()

    def _error(self, text, page=None, env=None):
        self.errors.append({"page": page, "env": env and env.slot, "text": text})

    def _note(self, kind, text, page):
        self.notes.append({"kind": kind, "page": page, "text": text})

    # ---- Reading ----

    def _read_pages(self):
        image = self.image
        self.npages = image.variable("npages")
        table, found = image.pa(image.variable("pages")), image.pa(image.variable("found"))
        if not table or not found or self.npages * self.c["PGSIZE"] > len(image.data):
            raise MemoryImageError("the kernel has not set up its memory yet: stop it later")
        entries = image.words(table, 2 * self.npages)
        self.links, self.refs = entries[::2], entries[1::2]
        words = image.words(found, self.npages)
        self.reserved = [bool(word & self.c["PAGE_RESERVED"]) for word in words]
        self.added = {page for page, word in enumerate(words) if word & self.c["PAGE_ADDED"]}
        self.counts = [0] * self.npages   # Mappings that were found
        self.held = [False] * self.npages  # The kernel uses the page for one purpose
        self.listed = [False] * self.npages

    def _read_environments(self):
        image, size = self.image, self.image.structs["Env"]["size"]
        base = image.pa(image.variable("envs"))
        if not base:
            raise MemoryImageError("the kernel has no environments yet: stop it later")
        self.envs = [Env(image, slot, base + slot * size) for slot in range(self.c["NENV"])
                     if image.member("Env", base + slot * size, "env_pgdir")]

    def _count(self, page, env, kind, va, entry):
        """Count a use of a page. Returns False if there is no such page."""
        if page >= self.npages:
            self._error("there is no page 0x%08x, but a mapping of it" % (page << 12), env=env)
            return False
        self.counts[page] += 1
        if kind != "page":
            self.held[page] = True
        self.uses.setdefault(page, []).append((env, kind, va, entry))
        return True

    def _check_kern_pgdir(self):
        """Count the kernel's own page tables, and check that programs cannot write to what they
        map."""
        c, image = self.c, self.image
        self.kern_pgdir = image.words(image.pa(image.variable("kern_pgdir")), 1024)
        for pdx, pde in enumerate(self.kern_pgdir):
            va = pdx << 22
            if not pde & c["PTE_P"] or va == c["UVPT"]:
                continue
            if va < c["UTOP"] or pde & c["PTE_PS"] and pde & c["PTE_U"]:
                self._error("kern_pgdir[%d] is %08x" % (pdx, pde), pde >> 12)
            if pde & c["PTE_PS"] or not self._count(pde >> 12, None, "kernel table", va, pde):
                continue
            for ptx, pte in enumerate(image.words(pde & ~0xfff, 1024)):
                if pte & c["PTE_P"] and pte & c["PTE_U"] and (pte & c["PTE_W"] or va >= c["UVPT"]):
                    self._error("va 0x%x is the kernel's, but mapped as %08x"
                                % (va | ptx << 12, pte), pde >> 12)

    def _read_space(self, env):
        """Read and check the page directory of an environment."""
        c, image = self.c, self.image
        pa = image.pa(env.pgdir)
        if pa is None or pa & 0xfff or not self._count(pa >> 12, env, "directory", None, 0):
            self._error("%s has the page directory 0x%08x, which is no page"
                        % (env.name, env.pgdir), env=env)
            return
        set_by_cpu = c["PTE_A"] | c["PTE_D"]
        for pdx, pde in enumerate(image.words(pa, 1024)):
            va, pde = pdx << 22, pde & ~set_by_cpu
            if va < c["UTOP"]:
                if not pde & c["PTE_P"]:
                    continue
                wanted = pde & ~0xfff | c["PTE_P"] | c["PTE_W"] | c["PTE_U"]
            elif va == c["UVPT"]:
                wanted = pa | c["PTE_P"] | c["PTE_U"]
            else:
                wanted = self.kern_pgdir[pdx] & ~set_by_cpu
            if pde != wanted:
                self._error("%s env_pgdir[%d] is %08x, not %08x" % (env.name, pdx, pde, wanted),
                            pa >> 12, env)
            elif va < c["UTOP"] and self._count(pde >> 12, env, "table", va, pde):
                self._read_table(env, va, pde & ~0xfff)
        fpu = image.pa(env.fpu) if env.fpu else None
        if fpu is not None:
            self._count(fpu >> 12, env, "fpu", None, 0)

    def _read_table(self, env, start, pa):
        c = self.c
        allowed = c["PTE_SYSCALL"] | c["PTE_A"] | c["PTE_D"]
        for ptx, pte in enumerate(self.image.words(pa, 1024)):
            if not pte & c["PTE_P"]:
                continue
            va, page = start | ptx << 12, pte >> 12
            if not pte & c["PTE_U"] or pte & 0xfff & ~allowed:
                self._error("%s va 0x%x is mapped as %08x" % (env.name, va, pte), page, env)
            if self._count(page, env, "page", va, pte):
                env.maps.append((va, page, pte))

    def _read_free_list(self):
        image, size = self.image, self.image.structs["PageInfo"]["size"]
        base, at = image.variable("pages"), image.variable("page_free_list")
        while at:
            page, rest = divmod(at - base, size)
            if rest or not 0 <= page < self.npages:
                self._error("the list of free pages has the bad pointer 0x%x" % at)
                return
            if self.listed[page]:
                self._error("page 0x%08x is on the free list twice" % (page << 12), page)
                return
            self.listed[page] = True
            at = self.links[page]

    # ---- Checking ----

    def users(self, page):
        """The environments that map a page, each once, in the order of slots."""
        return sorted({env for env, kind, _, _ in self.uses.get(page, ()) if kind == "page"},
                      key=lambda env: env.slot)

    def _check_pages(self):
        self.used = 0
        for page in range(self.npages):
            found = self.counts[page]
            if self.reserved[page]:
                found += 1
            elif found:
                self.used += 1
            if self.refs[page] != found or self.listed[page] and (self.refs[page] or found) \
                    or not self.listed[page] and not found \
                    or (self.held[page] or self.reserved[page]) and found != 1:
                self._check_page(page, self.refs[page], found)

    def _check_page(self, page, ref, found):
        """Report the errors of a page that has at least one."""
        name, users = "page 0x%08x" % (page << 12), self.users(page)
        if ref != found:
            text = "%s has %d references, %d mappings found" % (name, ref, found)
            if ref < found and len(users) > 1:
                text += ": %s map it, so one of them maps a page of another environment" \
                    % " and ".join(env.name for env in users)
            self._error(text, page)
        if (self.held[page] or self.reserved[page]) and found != 1:
            text = "%s is the kernel's, but mapped elsewhere" % name
            self._error(text + "".join(": by " + env.name for env in users[:1]), page)
        if self.listed[page] and (ref or found):
            self._error("%s is on the free list, but in use" % name, page)
        if not self.listed[page] and not ref and not found:
            self._error("%s is lost: neither in use nor free" % name, page)

    def _check_sharing(self):
        c = self.c
        for page, uses in sorted(self.uses.items()):
            mapped = [(env, entry) for env, kind, _, entry in uses if kind == "page"]
            writers = {env for env, entry in mapped if entry & c["PTE_W"]}
            cow = {env for env, entry in mapped
                   if entry & (c["PTE_W"] | c["PTE_COW"] | c["PTE_SHARE"]) == c["PTE_COW"]}
            name = "page 0x%08x" % (page << 12)
            # A child that fork is still making does not count: its parent becomes copy-on-write
            # later, before the child is started.
            started = {env for env in cow if env.started}
            if started and writers - started:
                self._error("%s is copy-on-write in %s, but %s can write to it" % (
                    name, names(started), names(writers - started)), page)
            elif cow and len(mapped) == 1:
                self._note("alone", "%s is copy-on-write in %s, and no other environment maps it"
                           % (name, names(cow)), page)
            unmarked = {env for env, entry in mapped
                        if entry & (c["PTE_W"] | c["PTE_COW"] | c["PTE_SHARE"]) == c["PTE_W"]}
            if len(unmarked) > 1:
                self._note("unmarked", "%s can be written by %s, without PTE_SHARE"
                           % (name, names(unmarked)), page)

    # ---- Describing ----

    def kind(self, page):
        """What a page is used for: one of KINDS."""
        c, uses = self.c, self.uses.get(page, ())
        if self.reserved[page]:
            region = self.region(page)
            return UNUSABLE if region.startswith("-") else \
                STACK if region.startswith("stack") else KERNEL
        if not uses:
            return FREE if self.listed[page] else LOST
        kinds = {kind for _, kind, _, _ in uses}
        for kind in (KERNEL_TABLE, DIRECTORY, TABLE, FPU):
            if kind in kinds:
                return kind
        if len(uses) == 1:
            return PRIVATE
        entries = [entry for _, _, _, entry in uses]
        if any(entry & c["PTE_W"] for entry in entries):
            return SHARED
        return COW if any(entry & c["PTE_COW"] for entry in entries) else READ

    def region(self, page):
        """What a page that is in use since boot contains: a text for people."""
        if not hasattr(self, "_regions"):
            self._regions = self._find_regions()
            self._starts = [start for start, _ in self._regions]
        if page in self.added:
            return "allocated by the kernel for itself"
        return self._regions[bisect_right(self._starts, page) - 1][1]

    def _find_regions(self):
        """[(first page, text)] of the pages that are in use since boot. The texts of pages that
        are not usable begin with a dash."""
        image, c = self.image, self.c

        def page(name):
            return image.pa(image.symbols[name]["address"]) >> 12

        def after(name):
            symbol = image.symbols[name]
            return (image.pa(symbol["address"]) + symbol["size"] + 4095) >> 12

        end = (image.pa(image.symbols["end"]["address"]) + 4095) >> 12
        tables_end = end
        while tables_end < self.npages and self.reserved[tables_end] \
                and tables_end not in self.added:
            tables_end += 1
        mpentry = c["MPENTRY_PADDR"] >> 12
        regions = [
            (0, "- the BIOS's data"), (1, "- reserved by the BIOS"),
            (mpentry, "- start-up code of the other CPUs"), (mpentry + 1, "- reserved by the BIOS"),
            (c["IOPHYSMEM"] >> 12, "- video memory and BIOS"),
            (c["EXTPHYSMEM"] >> 12, "start-up code"), (page("stext"), "code"),
            (after("etext"), "constants, and the images of all programs"),
            (page("erodata"), "variables"), (end, "tables made at boot"),
            (tables_end, "- not RAM, or reserved by the BIOS")]
        # Where two regions begin at the same page, the later one in the list counts.
        regions += [(after("percpu_kstacks"), "variables"), (after("percpu_dfstacks"), "variables"),
                    (page("percpu_kstacks"), "stacks of the CPUs"),
                    (page("percpu_dfstacks"), "stacks for double faults")]
        # The tables that mem_init makes (kern/pmap.c), which have no symbols of their own.
        for name, text in (("kern_pgdir", "the kernel's page directory"), ("pages", "pages[]"),
                           ("found", "counts of the audit"), ("envs", "envs[]")):
            regions.append((image.pa(image.variable(name)) >> 12, text))
        return sorted(regions, key=lambda region: region[0])

    def describe(self):
        """The model as an object for JSON. `pages` has [first, count, kind, slot of the owner or
        null, text or null] for each run of equal pages; `details` has, for each page with a use or
        an error, its pp_ref, and its uses: [slot or null, kind, va, entry]."""
        shown = sorted(set(self.uses) | {error["page"] for error in self.errors
                                         if error["page"] is not None
                                         and error["page"] < self.npages})
        return {
            "npages": self.npages, "used": self.used, "free": sum(self.listed),
            "constants": self.c, "errors": self.errors, "notes": self.notes,
            "envs": [self._describe_env(env) for env in self.envs],
            "cpus": self._cpus(), "lock": self._lock_holder(),
            "pages": self._runs(),
            "details": {page: {"ref": self.refs[page], "listed": self.listed[page],
                               "uses": [[env and env.slot, kind, va, entry] for env, kind, va, entry
                                        in self.uses.get(page, ())]} for page in shown},
        }

    def _describe_env(self, env):
        return {"slot": env.slot, "id": env.id, "parent": env.parent, "program": env.program,
                "status": env.status, "cpu": env.cpu if env.oncpu else None, "runs": env.runs,
                "started": env.started, "maps": [[va, page, entry] for va, page, entry in env.maps]}

    def _runs(self):
        runs = []
        for page in range(self.npages):
            kind = self.kind(page)
            owner = next((env.slot for env, _, _, _ in self.uses.get(page, ()) if env), None)
            text = self.region(page).lstrip("- ") if self.reserved[page] else None
            look = [kind, owner, text]
            if runs and runs[-1][2:] == look:
                runs[-1][1] += 1
            else:
                runs.append([page, 1, *look])
        return runs

    def _cpus(self):
        image, size = self.image, self.image.structs["CpuInfo"]["size"]
        base, cpus = image.pa(image.symbols["cpus"]["address"]), []
        for i in range(min(image.variable("ncpu"), image.symbols["cpus"]["size"] // size)):
            status = image.member("CpuInfo", base + i * size, "cpu_status")
            env = image.pa(image.member("CpuInfo", base + i * size, "cpu_env"))
            first = image.pa(image.variable("envs"))
            slot = None if env is None else (env - first) // image.structs["Env"]["size"]
            cpus.append({"status": CPU_STATUSES[status] if status < len(CPU_STATUSES)
                         else "status %d" % status, "env": slot})
        return cpus

    def _lock_holder(self):
        """The number of the CPU that holds the big kernel lock, or None."""
        holder = self.image.number(self.image.pa(self.image.symbols["kernel_lock"]["address"]))
        return (holder - self.c["GD_TSS0"]) >> 3 if holder else None


def names(envs):
    return " and ".join(env.name for env in sorted(envs, key=lambda env: env.slot))
