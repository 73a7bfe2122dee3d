// Memory: the list of free physical pages, page tables, and the kernel's own mappings.
//
// pp_ref counts the mappings of a page. When the last mapping is removed, pp_ref becomes 0, and the
// page is put on page_free_list. A page that is not RAM, or that holds the kernel, is never free,
// so its pp_ref is never 0. Each environment has its own page tables below UTOP. Above UTOP, except
// at UVPT, all page directories share the kernel's page tables. So if the kernel adds a mapping
// later, the mapping appears in every environment.

#include <inc/assert.h>
#include <inc/error.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/check/audit.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/check/failalloc.h>
#include <kern/check/kdebug.h>
#include <kern/dev/multiboot.h>
#define PAGETABLE_INLINE // Compile ordinary functions, which GDB can call
#include <kern/pagetable.h>
#include <kern/pmap.h>
#include <kern/spinlock.h>
#include <kern/tlb.h>

struct PageInfo *pages;
size_t npages;
pde_t *kern_pgdir;
HOT_DATA bool smap_on;

struct PageInfo *page_free_list;
static size_t page_nfree;
static physaddr_t boot_next;           // Physical address at which boot_alloc continues
static physaddr_t boot_limit;          // End of the RAM range that holds the kernel
static uintptr_t mmio_next = MMIOBASE; // Virtual address at which mmio_map_region continues

// ---- Physical memory ----

// Return the size, in KB, of the part of a memory range that is between two addresses.
static uint32_t
overlap_kb(const struct MemRange *r, physaddr_t low, physaddr_t high)
{
	physaddr_t start = MAX(r->start, low), limit = MIN(r->end, high);
	return start < limit ? (limit - start) / 1024 : 0;
}

static void
detect_memory(void)
{
	uint32_t base = 0, extended = 0;
	physaddr_t top = 0;

	boot_next = ROUNDUP(PADDR(end), PGSIZE);
	for (int i = 0; i < boot_nranges; i++) {
		const struct MemRange *r = &boot_ranges[i];
		if (!r->available)
			continue;
		base += overlap_kb(r, 0, IOPHYSMEM);
		extended += overlap_kb(r, EXTPHYSMEM, KERNMAX);
		top = MAX(top, r->end);
		if (r->start < boot_next && r->end > boot_next)
			boot_limit = ROUNDDOWN(r->end, PGSIZE);
	}
	// If a reserved range overlaps an available range, treat the overlap as reserved.
	for (int i = 0; i < boot_nranges; i++) {
		const struct MemRange *r = &boot_ranges[i];
		if (!r->available && r->end > boot_next)
			boot_limit = MIN(boot_limit, MAX(ROUNDDOWN(r->start, PGSIZE), boot_next));
	}
	npages = PGNUM(top);
	cprintf("Physical memory: %uK available, base = %uK, extended = %uK\n", base + extended,
	    base, extended);
	if (boot_memory_total > KERNMAX)
		cprintf("Only the first 256 MiB of %u MiB are used.\n",
		    (uint32_t)(boot_memory_total >> 20));
	if (boot_limit == 0)
		panic("too little memory: the kernel alone reaches up to %uK", boot_next / 1024);
}

// Allocate zeroed memory for a kernel table. size is in bytes, and is rounded up to whole pages.
// The memory is never freed. Only for use before page_init. Panics if there is too little memory.
static void *
boot_alloc(size_t size)
{
	size = ROUNDUP(size, PGSIZE);
	if (size >= boot_limit - boot_next) // Leave at least one page for page_init.
		panic("too little memory: more than %uK are needed, %uK are left", size / 1024,
		    (boot_limit - boot_next) / 1024);
	void *result = KADDR(boot_next);
	boot_next += size;
	return memset(result, 0, size);
}

static void
page_range_set_ref(physaddr_t start, physaddr_t limit, uint32_t ref)
{
	for (size_t i = PGNUM(start); i < PGNUM(limit) && i < npages; i++)
		pages[i].pp_ref = ref;
}

// Return the size of pages[] in bytes. The size is a multiple of PGSIZE, because pages[] is mapped
// at UPAGES. Extra entries at the end belong to no physical page, and are never free.
static size_t
pages_size(void)
{
	return ROUNDUP(npages * sizeof(*pages), PGSIZE);
}

// Put all RAM on the free list, except page 0 (the BIOS's data), the page at MPENTRY_PADDR, the I/O
// hole at IOPHYSMEM, the kernel, and the memory from boot_alloc. Exercise 2.
void
page_init(void)
{
	for (size_t i = 0; i < pages_size() / sizeof(*pages); i++)
		pages[i].pp_ref = 1;
	for (int i = 0; i < boot_nranges; i++) {
		if (boot_ranges[i].available)
			page_range_set_ref(
			    ROUNDUP(boot_ranges[i].start, PGSIZE), boot_ranges[i].end, 0);
	}
	// If a reserved range overlaps an available range, treat the overlap as reserved.
	for (int i = 0; i < boot_nranges; i++) {
		if (!boot_ranges[i].available)
			page_range_set_ref(
			    boot_ranges[i].start, ROUNDUP(boot_ranges[i].end, PGSIZE), 1);
	}
	page_range_set_ref(0, PGSIZE, 1);
	page_range_set_ref(MPENTRY_PADDR, MPENTRY_PADDR + PGSIZE, 1);
	page_range_set_ref(IOPHYSMEM, boot_next, 1);

	for (size_t i = npages; i-- > 0;) {
		if (pages[i].pp_ref == 0)
			page_free(&pages[i]);
	}
}

// Allocate a page from the free list. Returns NULL if the list is empty. pp_ref is 0 until the page
// is mapped. If ALLOC_ZERO is not set, the contents of the page are undefined.
struct PageInfo *
page_alloc(int alloc_flags)
{
	struct PageInfo *pp = page_free_list;

	assert(kernel_locked());
	if (!pp || failalloc_now())
		return NULL;
	page_free_list = pp->pp_link;
	page_nfree--;
	pp->pp_link = NULL;
	if (alloc_flags & ALLOC_ZERO)
		stosl(page2kva(pp), 0, PGSIZE / sizeof(uint32_t));
	return pp;
}

// Put a page back on the free list. Panics if the page is mapped or already free.
void
page_free(struct PageInfo *pp)
{
	assert(kernel_locked());
	if (pp->pp_ref != 0 || pp->pp_link)
		panic("page_free: page %08x is mapped %u times, or free", page2pa(pp), pp->pp_ref);
	pp->pp_link = page_free_list;
	page_free_list = pp;
	page_nfree++;
}

// The slow path of page_decref: remove the last reference, and free the page.
void
page_last_decref(struct PageInfo *pp)
{
	assert(kernel_locked());
	assert(pp->pp_ref == 1);
	pp->pp_ref = 0;
	page_free(pp);
}

size_t
page_free_count(void)
{
	return page_nfree;
}

// ---- Page tables (see also pagetable.h) ----

// The slow path of pgdir_walk: add an empty page table at *pde. Returns a pointer to va's entry in
// the table, or NULL if there is no memory. *pde has all permissions. The entries restrict them.
pte_t *
pgdir_walk_create(pde_t *pde, const void *va)
{
	assert(kernel_locked());
	assert(!(*pde & PTE_PS));
	struct PageInfo *table = page_alloc(ALLOC_ZERO);
	if (!table)
		return NULL;
	table->pp_ref++;
	*pde = page2pa(table) | PTE_P | PTE_W | PTE_U;
	return (pte_t *)page2kva(table) + PTX(va);
}

// Map size bytes at virtual address va to physical address pa, with permissions perm | PTE_P. va,
// pa and size must be multiples of PGSIZE. The mapping is permanent, and pp_ref does not count it.
// Uses 4 MB pages where possible. Panics if no memory is left for a page table.
void
boot_map_region(pde_t *pgdir, uintptr_t va, size_t size, physaddr_t pa, int perm)
{
	assert(PGOFF(va) == 0 && PGOFF(pa) == 0 && PGOFF(size) == 0);
	while (size > 0) {
		size_t step = PGSIZE;
		if (va % PTSIZE == 0 && pa % PTSIZE == 0 && size >= PTSIZE &&
		    !(pgdir[PDX(va)] & PTE_P)) {
			step = PTSIZE;
			pgdir[PDX(va)] = pa | perm | PTE_PS | PTE_P;
		} else {
			pte_t *pte = pgdir_walk(pgdir, (void *)va, 1);
			if (!pte)
				panic("too little memory for the kernel's page tables");
			assert(!(*pte & PTE_P));
			*pte = pa | perm | PTE_P;
		}
		va += step;
		pa += step;
		size -= step;
	}
}

// ---- The kernel's mappings ----

// Map size bytes of a device's registers at physical address pa, permanently. Returns their virtual
// address. pa and size need not be aligned. Panics if there is no room below MMIOLIM. Exercise 1.
void *
mmio_map_region(physaddr_t pa, size_t size)
{
	size_t offset = PGOFF(pa);

	assert(kernel_locked());
	// A single comparison would not be safe, because the sums can wrap around.
	if (size > MMIOLIM - mmio_next || offset + size > MMIOLIM - mmio_next || size - 1 > ~pa)
		panic("mmio_map_region: no room for %u bytes at %08x", size, pa);
	size = ROUNDUP(offset + size, PGSIZE);
	boot_map_region(kern_pgdir, mmio_next, size, pa - offset, PTE_W | PTE_PCD | PTE_PWT);
	void *result = (void *)(mmio_next + offset);
	mmio_next += size;
	return result;
}

// Map the kernel stack and the double-fault stack of each CPU. The top of CPU 0's kernel stack is
// KSTACKTOP. The pages below each stack are not mapped, so if a stack overflows, the CPU faults
// before it reaches the next stack. Exercise 3.
static __attribute__((noinline)) void
mem_init_mp(void)
{
	static_assert(KSTACKTOP_CPU(2 * NCPU) >= MMIOLIM);

	for (int i = 0; i < NCPU; i++) {
		boot_map_region(kern_pgdir, KSTACKTOP_CPU(i) - KSTKSIZE, KSTKSIZE,
		    PADDR(percpu_kstacks[i]), PTE_W);
		boot_map_region(kern_pgdir, KSTACKTOP_CPU(NCPU + i) - DFSTKSIZE, DFSTKSIZE,
		    PADDR(percpu_dfstacks[i]), PTE_W);
	}
}

// Map all physical memory at KERNBASE. Only the kernel's code and constants are read-only.
static void
map_physical_memory(void)
{
	uintptr_t text = (uintptr_t)stext, data = (uintptr_t)erodata;

	boot_map_region(kern_pgdir, KERNBASE, text - KERNBASE, 0, PTE_W | PTE_G);
	boot_map_region(kern_pgdir, text, data - text, PADDR(text), PTE_G);
	boot_map_region(kern_pgdir, data, -data, PADDR(data), PTE_W | PTE_G);
}

// Return the paging features of this CPU as bits of CR4: PGE (global pages stay in the TLB when CR3
// is loaded), SMEP (the kernel cannot execute user pages), SMAP (the kernel cannot access them).
static uint32_t
paging_features(void)
{
	uint32_t last_leaf, features, more = 0;

	cpuid(0, &last_leaf, NULL, NULL, NULL);
	cpuid(1, NULL, NULL, NULL, &features);
	if (last_leaf >= 7)
		cpuid(7, NULL, &more, NULL, NULL);
	return (features & CPUID_PGE ? CR4_PGE : 0) | (more & CPUID7_SMEP ? CR4_SMEP : 0) |
	       (more & CPUID7_SMAP ? CR4_SMAP : 0);
}

// Set up paging on this CPU. With CR0.WP, the kernel cannot write to read-only pages either.
void
mem_init_percpu(void)
{
	uint32_t features = paging_features();

	lcr3(PADDR(kern_pgdir));
	lcr0(rcr0() | CR0_WP);
	lcr4(rcr4() | features);
	smap_on = features & CR4_SMAP;
}

// Set up memory. The boot CPU calls mem_init once, after multiboot_init, and holds the big lock.
void
mem_init(void)
{
	detect_memory();
	kern_pgdir = boot_alloc(PGSIZE);
	pages = boot_alloc(pages_size());
	uint32_t *counts = boot_alloc(npages * sizeof(*counts));
	envs = boot_alloc(NENV * sizeof(*envs));
	page_init();
	audit_init(counts);
	check_page_free_list();
	check_page_alloc();
	check_page();

	// Recursive mapping: the page directory, used as a page table, maps all tables at UVPT.
	kern_pgdir[PDX(UVPT)] = PADDR(kern_pgdir) | PTE_U | PTE_P;
	boot_map_region(kern_pgdir, UPAGES, pages_size(), PADDR(pages), PTE_U);
	boot_map_region(
	    kern_pgdir, UENVS, ROUNDUP(NENV * sizeof(*envs), PGSIZE), PADDR(envs), PTE_U);
	mem_init_mp();
	map_physical_memory();
	// Add the page table for later MMIO mappings now, because env_setup_vm copies kern_pgdir.
	if (!pgdir_walk(kern_pgdir, (void *)MMIOBASE, 1))
		panic("too little memory for the kernel's page tables");
	check_kern_pgdir();

	mem_init_percpu();
	check_page_free_list();
	check_page_installed_pgdir();
}

// ---- Checking pointers from programs ----

// The first address that env could not access in the last user_mem_check that failed.
static uintptr_t user_mem_check_addr;

// If env may access len bytes at va with perm | PTE_U | PTE_P, return 0. Otherwise return -E_FAULT.
int
user_mem_check(struct Env *env, const void *va, size_t len, int perm)
{
	uintptr_t at = (uintptr_t)va;
	size_t left = len, step;

	assert(kernel_locked());
	for (; left > 0; at += step, left -= step) {
		user_mem_check_addr = at;
		if (!user_page_ok(env, (void *)at, perm))
			return -E_FAULT;
		step = MIN(left, PGSIZE - PGOFF(at));
	}
	return 0;
}

// Like user_mem_check, but destroys env on failure. The caller must then check whether env exists.
void
user_mem_assert(struct Env *env, const void *va, size_t len, int perm)
{
	if (user_mem_check(env, va, len, perm) < 0)
		user_mem_fail(env, user_mem_check_addr);
}

// Print that env has no access to va, and destroy env.
void
user_mem_fail(struct Env *env, uintptr_t va)
{
	cprintf("[%08x] user_mem_check assertion failure for va %08x\n", env->env_id, va);
	kdebug_print_user(env, env_frame(env));
	env_destroy(env);
}
