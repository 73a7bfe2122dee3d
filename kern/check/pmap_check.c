// Self-checks of pmap.c, which mem_init runs at every boot. Each check calls pmap.c's public
// functions as other code does, and panics if a result is wrong. Each check restores the free list
// and kern_pgdir at its end. Only the boot CPU runs at this time.

#include <inc/assert.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/dev/multiboot.h>
#include <kern/pagetable.h>
#include <kern/pmap.h>

#define CHECKED() cprintf("%s() succeeded!\n", __func__)

// Allocate all free pages, link them to a list by pp_link, and return their number. free_all frees
// the pages of such a list.
static size_t
alloc_all(struct PageInfo **list)
{
	size_t n = 0;
	struct PageInfo *pp;

	for (*list = NULL; (pp = page_alloc(0)); n++) {
		assert(pp->pp_link == NULL);
		pp->pp_link = *list;
		*list = pp;
	}
	return n;
}

static void
free_all(struct PageInfo *list)
{
	while (list) {
		struct PageInfo *pp = list;
		list = pp->pp_link;
		pp->pp_link = NULL;
		page_free(pp);
	}
}

// Return whether the whole page at pa is available RAM in the boot loader's memory map.
static bool
is_ram(physaddr_t pa)
{
	bool ram = false;

	for (int i = 0; i < boot_nranges; i++) {
		const struct MemRange *r = &boot_ranges[i];
		if (r->available)
			ram |= r->start <= pa && r->end - pa >= PGSIZE && r->end > pa;
		else if (r->start < pa + PGSIZE && r->end > pa)
			return false;
	}
	return ram;
}

// Check that every page on the free list is RAM, is not in use, and is on the list only once. Check
// that every page with pp_ref 0 is on the list.
void
check_page_free_list(void)
{
	struct PageInfo *list;
	size_t free_before = page_free_count(), base = 0, extended = 0, unused = 0;
	size_t n = alloc_all(&list);

	assert(n == free_before && n <= npages);
	for (struct PageInfo *pp = list; pp; pp = pp->pp_link) {
		physaddr_t pa = page2pa(pp);
		assert(pp >= pages && pp < pages + npages);
		assert(pp->pp_ref == 0);
		assert(is_ram(pa));
		assert(pa != 0);
		assert(pa != MPENTRY_PADDR);
		assert(pa < IOPHYSMEM || pa >= EXTPHYSMEM);
		// The page is outside the kernel and the tables that boot_alloc placed after the
		// kernel.
		assert(pa < EXTPHYSMEM || pa >= PADDR(envs + NENV));
		(pa < IOPHYSMEM) ? base++ : extended++;
	}
	assert(base > 0 && extended > 0);
	for (size_t i = 0; i < npages; i++)
		unused += pages[i].pp_ref == 0;
	assert(unused == n);
	free_all(list);
	assert(page_free_count() == free_before);
	CHECKED();
}

// Check that page_alloc returns each page only once, fills the page with zeroes if ALLOC_ZERO is
// given, and returns NULL if no page is left. Check that a freed page can be allocated again.
void
check_page_alloc(void)
{
	struct PageInfo *p[3], *list;
	size_t free_before = page_free_count();

	for (int i = 0; i < 3; i++) {
		p[i] = page_alloc(0);
		assert(p[i] && p[i]->pp_ref == 0 && page_free_count() == free_before - i - 1);
		memset(page2kva(p[i]), 1 + i, PGSIZE);
	}
	assert(p[0] != p[1] && p[1] != p[2] && p[2] != p[0]);
	for (int i = 0; i < 3; i++) {
		const uint8_t *kva = page2kva(p[i]);
		assert(kva[0] == 1 + i && kva[PGSIZE - 1] == 1 + i);
	}

	alloc_all(&list);
	assert(!page_alloc(0) && page_free_count() == 0);
	page_free(p[0]);
	assert(page_alloc(ALLOC_ZERO) == p[0] && !page_alloc(0));
	const uint8_t *kva = page2kva(p[0]);
	for (int i = 0; i < PGSIZE; i++)
		assert(kva[i] == 0);

	free_all(list);
	for (int i = 0; i < 3; i++)
		page_free(p[i]);
	assert(page_free_count() == free_before);
	CHECKED();
}

// Translate va with kern_pgdir, as the hardware does. If va is not mapped, returns 0. Otherwise
// returns the page's physical address with PTE_P. PTE_W is also set if the directory entry and the
// page table entry both have PTE_W, and likewise for PTE_U.
static pte_t
mapped(uintptr_t va)
{
	pde_t pde = kern_pgdir[PDX(va)];
	pte_t pte;

	if (!(pde & PTE_P))
		return 0;
	if (pde & PTE_PS)
		pte = pde + (PTX(va) << PTXSHIFT); // The entry that a page table would have for va
	else
		pte = ((pte_t *)KADDR(PTE_ADDR(pde)))[PTX(va)];
	return pte & PTE_P ? PTE_ADDR(pte) | (pte & pde & (PTE_P | PTE_W | PTE_U)) : 0;
}

// check_page maps pages at these two addresses.
static char *const va0 = (char *)PGSIZE;
static char *const va1 = (char *)(2 * PGSIZE);

// Check page_insert: map p0 at va0 and p1 at va1. At first, no page is free. Then this function
// frees `table`, which becomes the page table.
static void
check_page_insert(struct PageInfo *p0, struct PageInfo *p1, struct PageInfo *table)
{
	pte_t *pte;

	// Without a free page for the page table, page_insert fails and changes nothing.
	assert(!page_lookup(kern_pgdir, va0, NULL));
	assert(page_insert(kern_pgdir, p0, va0, PTE_W) < 0);
	assert(p0->pp_ref == 0 && !mapped(PGSIZE));

	// With a free page, page_insert uses this page as the page table. The next page_insert
	// needs no other page table.
	page_free(table);
	assert(page_insert(kern_pgdir, p0, va0, PTE_W) == 0);
	assert(PTE_ADDR(kern_pgdir[0]) == page2pa(table) && table->pp_ref == 1);
	assert(page_insert(kern_pgdir, p1, va1, 0) == 0);
	assert(mapped(PGSIZE) == (page2pa(p0) | PTE_P | PTE_W));
	assert(mapped(2 * PGSIZE) == (page2pa(p1) | PTE_P));
	assert(page_lookup(kern_pgdir, va0, &pte) == p0 && (*pte & PTE_W));
	assert(pgdir_walk(kern_pgdir, va0, 0) == pte);
}

// Replace the mappings that check_page_insert has made, and then remove them.
static void
check_page_replace(struct PageInfo *p0, struct PageInfo *p1)
{
	// Insert the same page again, with other permissions: the page must not be freed in
	// between.
	assert(page_insert(kern_pgdir, p1, va1, PTE_U) == 0);
	assert(p1->pp_ref == 1 && page_free_count() == 0);
	assert(mapped(2 * PGSIZE) == (page2pa(p1) | PTE_P | PTE_U));

	// Map p1 at va0, too. This removes the last mapping of p0, so p0 is freed.
	assert(page_insert(kern_pgdir, p1, va0, 0) == 0);
	assert(p1->pp_ref == 2 && p0->pp_ref == 0 && page_free_count() == 1);
	assert(page_alloc(0) == p0);

	page_remove(kern_pgdir, va0);
	assert(p1->pp_ref == 1 && !mapped(PGSIZE));
	page_remove(kern_pgdir, va0); // No effect, because va0 is no longer mapped
	assert(p1->pp_ref == 1);
	page_remove(kern_pgdir, va1);
	assert(p1->pp_ref == 0 && page_alloc(0) == p1 && !page_alloc(0));
}

// Check page_insert, page_lookup and page_remove on kern_pgdir, which is still empty.
void
check_page(void)
{
	struct PageInfo *p0, *p1, *table, *list;
	size_t free_before = page_free_count();

	assert((p0 = page_alloc(0)) && (p1 = page_alloc(0)) && (table = page_alloc(0)));
	alloc_all(&list);
	check_page_insert(p0, p1, table);
	check_page_replace(p0, p1);

	kern_pgdir[0] = 0;
	page_decref(table);
	free_all(list);
	page_free(p0);
	page_free(p1);
	assert(page_free_count() == free_before);
	CHECKED();
}

// Check that n bytes at va are mapped to physical memory from pa on, with permissions perm.
static void
check_mapping(uintptr_t va, physaddr_t pa, size_t n, int perm)
{
	for (size_t at = 0; at < n; at += PGSIZE)
		assert(mapped(va + at) == ((pa + at) | PTE_P | perm));
}

// Check that everything above UTOP is mapped as inc/memlayout.h says, with the right permissions,
// and that nothing else is mapped.
void
check_kern_pgdir(void)
{
	uintptr_t text = (uintptr_t)stext, data = (uintptr_t)erodata;

	check_mapping(UPAGES, PADDR(pages), npages * sizeof(*pages), PTE_U);
	check_mapping(UENVS, PADDR(envs), NENV * sizeof(*envs), PTE_U);
	check_mapping(KERNBASE, 0, text - KERNBASE, PTE_W);
	check_mapping(text, PADDR(text), data - text, 0);
	check_mapping(data, PADDR(data), -data, PTE_W);

	for (int i = 0; i < 2 * NCPU; i++) {
		size_t size = i < NCPU ? KSTKSIZE : DFSTKSIZE;
		void *kva = i < NCPU ? percpu_kstacks[i] : percpu_dfstacks[i - NCPU];
		uintptr_t stack = KSTACKTOP_CPU(i) - size;
		check_mapping(stack, PADDR(kva), size, PTE_W);
		for (uintptr_t va = KSTACKTOP_CPU(i + 1); va < stack; va += PGSIZE)
			assert(!mapped(va));
	}

	for (uint32_t i = 0; i < NPDENTRIES; i++) {
		bool expected = i == PDX(UVPT) || i == PDX(UPAGES) || i == PDX(UENVS) ||
				i == PDX(MMIOBASE) || i == PDX(KSTACKTOP - 1) || i >= PDX(KERNBASE);
		assert(!!(kern_pgdir[i] & PTE_P) == expected);
		if (i > PDX(data)) // Global 4 MB pages: they stay in the TLB when CR3 changes
			assert((kern_pgdir[i] & (PTE_PS | PTE_G)) == (PTE_PS | PTE_G));
	}
	assert(PTE_ADDR(kern_pgdir[PDX(UVPT)]) == PADDR(kern_pgdir));
	CHECKED();
}

// The checks that need kern_pgdir in CR3:
//
// - A page can be used as soon as it is inserted, even if it replaces another page.
// - CR0.WP is set, so read-only pages are also read-only for the kernel.
// - mmio_map_region maps registers at any offset in a page, and its regions do not overlap.
void
check_page_installed_pgdir(void)
{
	volatile physaddr_t *const window = (physaddr_t *)PGSIZE;
	struct PageInfo *first = page_alloc(0), *second = page_alloc(0);
	size_t free_before = page_free_count();

	// Store in each page its own physical address, so that a read shows which page is mapped.
	assert(first && second);
	*(physaddr_t *)page2kva(first) = page2pa(first);
	*(physaddr_t *)page2kva(second) = page2pa(second);
	assert(page_insert(kern_pgdir, first, (void *)window, PTE_W) == 0);
	assert(*window == page2pa(first));
	assert(page_insert(kern_pgdir, second, (void *)window, PTE_W) == 0);
	assert(*window == page2pa(second) && first->pp_ref == 0);
	*window = ~page2pa(second);
	assert(*(physaddr_t *)page2kva(second) == ~page2pa(second));
	page_remove(kern_pgdir, (void *)window);
	page_decref(pa2page(PTE_ADDR(kern_pgdir[0])));
	kern_pgdir[0] = 0;
	assert(page_free_count() == free_before + 2);

	assert(rcr3() == PADDR(kern_pgdir) && (rcr0() & CR0_WP));

	// The device has PGSIZE bytes of registers, which begin in the middle of a page, so they
	// are in two pages.
	const physaddr_t device = 0xFEDCB010;
	uintptr_t a = (uintptr_t)mmio_map_region(device, PGSIZE);
	uintptr_t b = (uintptr_t)mmio_map_region(PTE_ADDR(device), 1);
	assert(a >= MMIOBASE && b >= PTE_ADDR(a) + 2 * PGSIZE && b < MMIOLIM);
	assert(PGOFF(a) == PGOFF(device) && PTE_ADDR(mapped(a)) == PTE_ADDR(device));
	assert(PTE_ADDR(mapped(a + PGSIZE)) == PTE_ADDR(device) + PGSIZE);
	assert(PGOFF(b) == 0 && PTE_ADDR(mapped(b)) == PTE_ADDR(device));
	pte_t expected = PTE_P | PTE_W | PTE_PCD | PTE_PWT;
	assert((*pgdir_walk(kern_pgdir, (void *)a, 0) & (expected | PTE_U)) == expected);
	CHECKED();
}
