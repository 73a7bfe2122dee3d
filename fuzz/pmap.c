// Fuzz target for kern/pmap.c: page tables, reference counts and user_mem_check, on a machine with
// 3 MB of memory and two environments.
//
// The input is a list of operations: a byte for the kind, a byte for environment and page, a byte
// for permissions, a 32-bit address and, for some kinds, a 32-bit size. mappings[] is the list of
// mappings that should exist; after each operation it is compared with the real ones.

#include <fuzz/kernel.h>

#include <kern/pmap.c>
#include <fuzz/unused.h>

// The kernel ends at 1.5 MB.
__asm__(".globl end\n.set end, 0x50180000");

#define MEMORY_TOP 0x300000
#define NENVS      2
#define NPAGES     8  // Pages that operations map
#define MAPPINGS   64 // Mappings at the same time, at most

static struct Env two_envs[NENVS];
static struct PageInfo *some_pages[NPAGES];
static bool allocated[NPAGES]; // some_pages[i] is allocated

static struct Mapping {
	struct Env *env;
	uintptr_t va;
	struct PageInfo *pp;
	uint32_t perm;
} mappings[MAPPINGS];
static int nmappings;
static int ninvalidated; // TLB invalidations so far

// ---- Called or read by pmap.c ----

struct MemRange boot_ranges[MAX_RANGES] = {
	{ 0, 0x9F000, true },
	{ 0x9F000, EXTPHYSMEM, false },
	{ EXTPHYSMEM, MEMORY_TOP, true },
};
int boot_nranges = 3;
uint64_t boot_memory_total = MEMORY_TOP;

static struct Env *destroyed;
void
env_destroy(struct Env *e)
{
	destroyed = e;
}

struct Trapframe *
env_frame(struct Env *e)
{
	return &e->env_tf;
}

void
kdebug_print_user(const struct Env *e, const struct Trapframe *tf)
{
}

static struct Mapping *find_mapping(const struct Env *env, uintptr_t va);
static uintptr_t old_va; // The operation's address
static pte_t old_entry;  // The page table entry at old_va before the operation

// Called when pmap.c invalidates a TLB entry. By then the page table entry must have changed, and
// the old page must not be free yet.
static void
check_invalidation(const struct Env *env, void *va)
{
	struct Mapping *m = find_mapping(env, (uintptr_t)va);

	must(m && m->pp->pp_ref > 0);
	must(*pgdir_walk(env->env_pgdir, va, 0) != old_entry);
	ninvalidated++;
}

// This CPU runs the first environment, and no other CPU does.
struct CpuInfo cpus[NCPU] = { { .cpu_env = &two_envs[0] } };

void
invlpg(void *va)
{
	check_invalidation(&two_envs[0], va);
}

// The second environment may run on another CPU.
void
tlb_shootdown(pde_t *pgdir)
{
	must(pgdir == two_envs[1].env_pgdir);
	check_invalidation(&two_envs[1], (void *)old_va);
}

// ---- The expected mappings ----

static struct Mapping *
find_mapping(const struct Env *env, uintptr_t va)
{
	for (int i = 0; i < nmappings; i++) {
		if (mappings[i].env == env && PGNUM(mappings[i].va) == PGNUM(va))
			return &mappings[i];
	}
	return NULL;
}

static int
index_of(const struct PageInfo *pp)
{
	for (int i = 0; i < NPAGES; i++) {
		if (allocated[i] && some_pages[i] == pp)
			return i;
	}
	must(!"a page of ours");
	return 0;
}

static uint32_t
count_mappings(const struct PageInfo *pp)
{
	uint32_t n = 0;

	for (int i = 0; i < nmappings; i++)
		n += mappings[i].pp == pp;
	return n;
}

// Remove m from the list. If it was the last mapping of its page, the kernel has freed the page.
static void
remove_mapping(struct Mapping *m)
{
	struct PageInfo *pp = m->pp;

	*m = mappings[--nmappings];
	if (count_mappings(pp) == 0)
		allocated[index_of(pp)] = false;
}

// Whether an environment may access the page of va with permissions perm. Below UTOP, mappings[]
// decides; above UTOP, the page tables' entries, read as raw memory.
static bool
may_use(const struct Env *env, uint64_t va, uint32_t perm)
{
	if (va >= ULIM)
		return false;
	perm |= PTE_P | PTE_U;
	if (va < UTOP) {
		struct Mapping *m = find_mapping(env, va);
		return m && ((m->perm | PTE_P) & perm) == perm;
	}
	uint32_t pde = env->env_pgdir[va >> 22];
	if ((pde & perm) != perm)
		return false;
	uint32_t pte = ((uint32_t *)(KERNBASE + (pde & ~0xFFFU)))[va >> 12 & 1023];
	return (pte & perm) == perm;
}

// ---- Operations ----

struct Operation {
	struct Env *env;
	int page;
	uint32_t perm;
	uintptr_t va;
	size_t size;
};

// Remember the entry of a mapping that the operation will remove. First set the bits `used` in it
// (PTE_A, PTE_D), as a CPU may have done.
static void
note_old_entry(const struct Mapping *m, uint32_t used)
{
	if (!m)
		return;
	old_va = m->va;
	old_entry = *pgdir_walk(m->env->env_pgdir, (void *)m->va, 0) |= used;
}

static void
try_insert(const struct Operation *op)
{
	uintptr_t va = ROUNDDOWN(op->va % UTOP, PGSIZE);
	struct Mapping *m = find_mapping(op->env, va);
	int before = ninvalidated;

	if (nmappings == MAPPINGS)
		return;
	if (!allocated[op->page]) {
		struct PageInfo *pp = page_alloc(op->perm & 1);
		if (!pp)
			return;
		must(pp->pp_ref == 0 && !pp->pp_link && count_mappings(pp) == 0);
		some_pages[op->page] = pp;
		allocated[op->page] = true;
	}
	struct PageInfo *pp = some_pages[op->page];
	uint32_t perm = (op->perm & PTE_SYSCALL) | PTE_P;
	note_old_entry(m, op->perm & (PTE_A | PTE_D));
	int r = page_insert(op->env->env_pgdir, pp, (void *)va, perm);
	if (r < 0) {
		must(page_free_count() == 0 && !m);
		if (count_mappings(pp) == 0) {
			page_free(pp);
			allocated[op->page] = false;
		}
		return;
	}
	// If the new entry equals the old one, no TLB needs an invalidation.
	must(ninvalidated == before + (m && old_entry != (page2pa(pp) | perm)));
	// Add the new mapping before removing the old: if both map the same page, that page must
	// not count as free between the two.
	mappings[nmappings++] = (struct Mapping){ op->env, va, pp, perm };
	if (m)
		remove_mapping(m);
}

static void
try_remove(const struct Operation *op)
{
	struct Mapping *m = op->va < UTOP ? find_mapping(op->env, op->va) : NULL;
	int before = ninvalidated;

	if (op->va >= UTOP)
		return;
	note_old_entry(m, op->perm & (PTE_A | PTE_D));
	page_remove(op->env->env_pgdir, (void *)op->va);
	must(ninvalidated == before + !!m);
	if (m)
		remove_mapping(m);
}

static void
try_lookup(const struct Operation *op)
{
	uintptr_t va = op->va % UTOP;
	struct Mapping *m = find_mapping(op->env, va);
	pte_t *pte = NULL;

	must(page_lookup(op->env->env_pgdir, (void *)va, &pte) == (m ? m->pp : NULL));
	must(m ? *pte == (page2pa(m->pp) | m->perm) : !pte);
}

static void
try_user_mem_check(const struct Operation *op)
{
	uint64_t at = op->va, limit = at + op->size;
	uint32_t perm = op->perm & (PTE_W | PTE_U | PTE_P);

	while (at < limit && may_use(op->env, at, perm))
		at = (at & ~0xFFFULL) + PGSIZE;
	int r = user_mem_check(op->env, (void *)op->va, op->size, perm);
	must(r == (at < limit ? -E_FAULT : 0));
	must(at >= limit || user_mem_check_addr == at);
	destroyed = NULL;
	user_mem_assert(op->env, (void *)op->va, op->size, perm);
	must(destroyed == (r < 0 ? op->env : NULL));
}

static const struct Operation *mmio_op;
static uintptr_t mmio_result;

static void
call_mmio_map_region(void)
{
	mmio_result = (uintptr_t)mmio_map_region(mmio_op->va, mmio_op->size);
}

static void
try_mmio_map_region(const struct Operation *op)
{
	uint64_t first = PGNUM(op->va), last = PGNUM((uint64_t)op->va + op->size - 1);
	uint64_t room = (MMIOLIM - mmio_next) / PGSIZE;
	bool possible = (uint64_t)op->va + op->size - 1 <= UINT32_MAX && last - first < room;

	if (op->size == 0)
		return;
	mmio_op = op;
	const char *text = host_catch_panic(call_mmio_map_region);
	if (text && page_free_count() == 0)
		return;
	must(!text == possible);
	if (text)
		return;
	must(mmio_result >= MMIOBASE && (uint64_t)mmio_result + op->size <= MMIOLIM);
	must(PGOFF(mmio_result) == PGOFF(op->va));
	for (uint64_t i = 0; i <= last - first; i++) {
		pte_t *pte = pgdir_walk(kern_pgdir, (char *)mmio_result + i * PGSIZE, 0);
		must(PGNUM(*pte) == first + i && (*pte & (PTE_P | PTE_U)) == PTE_P);
	}
	must(mmio_next == ROUNDUP(mmio_result + op->size, PGSIZE));
}

static const struct {
	void (*try)(const struct Operation *op);
	bool has_size;
} kinds[] = {
	{ try_insert, false },
	{ try_remove, false },
	{ try_lookup, false },
	{ try_user_mem_check, true },
	{ try_mmio_map_region, true },
};

// ---- The machine ----

// Set up memory as mem_init and env_setup_vm do, without loading a page directory.
static void
set_up(void)
{
	detect_memory();
	kern_pgdir = boot_alloc(PGSIZE);
	pages = boot_alloc(pages_size());
	page_init();
	kern_pgdir[PDX(UVPT)] = PADDR(kern_pgdir) | PTE_U | PTE_P;
	boot_map_region(kern_pgdir, UPAGES, pages_size(), PADDR(pages), PTE_U);
	must(pgdir_walk(kern_pgdir, (void *)MMIOBASE, 1));
	for (uint32_t pdx = PDX(KSTACKTOP); pdx < NPDENTRIES; pdx++)
		kern_pgdir[pdx] = PTE_P | PTE_W | PTE_PS | PTE_G;
	for (int i = 0; i < NENVS; i++) {
		struct PageInfo *pp = page_alloc(ALLOC_ZERO);
		pp->pp_ref++;
		two_envs[i].env_pgdir = page2kva(pp);
		memcpy(two_envs[i].env_pgdir, kern_pgdir, PGSIZE);
		two_envs[i].env_pgdir[PDX(UVPT)] = page2pa(pp) | PTE_P | PTE_U;
	}
}

static void
reset_kernel(void)
{
	page_free_list = NULL;
	page_nfree = 0;
	boot_limit = 0;
	mmio_next = MMIOBASE;
	nmappings = 0;
	memset(allocated, 0, sizeof(allocated));
}

static void
check_counts(void)
{
	for (int i = 0; i < NPAGES; i++) {
		if (allocated[i])
			must(some_pages[i]->pp_ref == count_mappings(some_pages[i]));
	}
}

// Check that all pages are free again once all mappings and page tables are removed.
static void
check_all_freed(size_t nfree)
{
	while (nmappings > 0) {
		struct Mapping m = mappings[0];
		note_old_entry(&m, 0);
		page_remove(m.env->env_pgdir, (void *)m.va);
		remove_mapping(find_mapping(m.env, m.va));
	}
	for (int i = 0; i < NENVS; i++) {
		for (uint32_t pdx = 0; pdx < PDX(UTOP); pdx++) {
			if (two_envs[i].env_pgdir[pdx] & PTE_P)
				page_decref(pa2page(PTE_ADDR(two_envs[i].env_pgdir[pdx])));
		}
	}
	must(page_free_count() == nfree);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct Input in = { data, size };

	set_up();
	size_t nfree = page_free_count();
	while (in.left > 0) {
		uint8_t kind = take_byte(&in) % ARRAY_SIZE(kinds), which = take_byte(&in);
		struct Operation op = {
			.env = &two_envs[which % NENVS],
			.page = which / NENVS % NPAGES,
		};
		op.perm = take_byte(&in) | (op.page & 1 ? 0x200 : 0);
		op.va = take_word(&in);
		op.size = kinds[kind].has_size ? take_word(&in) : 0;
		kinds[kind].try(&op);
		check_counts();
	}
	check_all_freed(nfree);
	reset_kernel();
	return 0;
}
