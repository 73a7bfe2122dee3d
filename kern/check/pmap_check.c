// The memory system's checks of itself, run at every boot (mem_init says when).
// Each looks at what pmap.c promises from outside, and panics where it does not hold.

#include <inc/assert.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/dev/multiboot.h>
#include <kern/pagetable.h>
#include <kern/pmap.h>

#define CHECKED() cprintf("%s() succeeded!\n", __func__)

// Take all free pages, and return how many there were; give_back undoes it. Until
// then the pages are linked among themselves.
static size_t
take_all(struct PageInfo **list)
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
give_back(struct PageInfo *list)
{
	while (list) {
		struct PageInfo *pp = list;
		list = pp->pp_link;
		pp->pp_link = NULL;
		page_free(pp);
	}
}

// Whether all of a page is RAM, as the boot loader said.
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

// Every free page is RAM that nobody else uses, and it is on the list once: all
// pages with pp_ref 0 are.
void
check_page_free_list(void)
{
	struct PageInfo *list;
	size_t free_before = page_free_count(), base = 0, extended = 0, unused = 0;
	size_t n = take_all(&list);

	assert(n == free_before && n <= npages);
	for (struct PageInfo *pp = list; pp; pp = pp->pp_link) {
		physaddr_t pa = page2pa(pp);
		assert(pp >= pages && pp < pages + npages);
		assert(pp->pp_ref == 0);
		assert(is_ram(pa));
		assert(pa != 0);
		assert(pa != MPENTRY_PADDR);
		assert(pa < IOPHYSMEM || pa >= EXTPHYSMEM);
		// Not the kernel, nor the tables that boot_alloc placed behind it.
		assert(pa < EXTPHYSMEM || pa >= PADDR(envs + NENV));
		(pa < IOPHYSMEM) ? base++ : extended++;
	}
	assert(base > 0 && extended > 0);
	for (size_t i = 0; i < npages; i++)
		unused += pages[i].pp_ref == 0;
	assert(unused == n);
	give_back(list);
	assert(page_free_count() == free_before);
	CHECKED();
}

// Allocation gives each page once, zeroed if asked, until there are none left; and
// what is freed can be had again.
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

	take_all(&list);
	assert(!page_alloc(0) && page_free_count() == 0);
	page_free(p[0]);
	assert(page_alloc(ALLOC_ZERO) == p[0] && !page_alloc(0));
	const uint8_t *kva = page2kva(p[0]);
	for (int i = 0; i < PGSIZE; i++)
		assert(kva[i] == 0);

	give_back(list);
	for (int i = 0; i < 3; i++)
		page_free(p[i]);
	assert(page_free_count() == free_before);
	CHECKED();
}

// What kern_pgdir has for the page at va: its physical address, PTE_P, and of PTE_W and
// PTE_U what both levels allow; or 0. It is read by hand, as the hardware would.
static pte_t
mapped(uintptr_t va)
{
	pde_t pde = kern_pgdir[PDX(va)];
	pte_t pte;

	if (!(pde & PTE_P))
		return 0;
	if (pde & PTE_PS)
		pte = pde + (PTX(va) << PTXSHIFT); // As a table of it would have it.
	else
		pte = ((pte_t *)KADDR(PTE_ADDR(pde)))[PTX(va)];
	return pte & PTE_P ? PTE_ADDR(pte) | (pte & pde & (PTE_P | PTE_W | PTE_U)) : 0;
}

// page_insert, page_lookup and page_remove: on kern_pgdir, which is still empty.
void
check_page(void)
{
	struct PageInfo *p0, *p1, *table, *list;
	size_t free_before = page_free_count();
	void *const va = (void *)PGSIZE;
	pte_t *pte;

	assert((p0 = page_alloc(0)) && (p1 = page_alloc(0)) && (table = page_alloc(0)));
	take_all(&list);

	// Without a page for the page table nothing is mapped, and nothing changes.
	assert(!page_lookup(kern_pgdir, va, NULL));
	assert(page_insert(kern_pgdir, p0, va, PTE_W) < 0);
	assert(p0->pp_ref == 0 && !mapped(PGSIZE));

	// With one, it takes that one, and a table lasts for all of its entries.
	page_free(table);
	assert(page_insert(kern_pgdir, p0, va, PTE_W) == 0);
	assert(PTE_ADDR(kern_pgdir[0]) == page2pa(table) && table->pp_ref == 1);
	assert(page_insert(kern_pgdir, p1, va + PGSIZE, 0) == 0);
	assert(mapped(PGSIZE) == (page2pa(p0) | PTE_P | PTE_W));
	assert(mapped(2 * PGSIZE) == (page2pa(p1) | PTE_P));
	assert(page_lookup(kern_pgdir, va, &pte) == p0 && (*pte & PTE_W));
	assert(pgdir_walk(kern_pgdir, va, 0) == pte);

	// The same page again, with other permissions: it is not freed on the way.
	assert(page_insert(kern_pgdir, p1, va + PGSIZE, PTE_U) == 0);
	assert(p1->pp_ref == 1 && page_free_count() == 0);
	assert(mapped(2 * PGSIZE) == (page2pa(p1) | PTE_P | PTE_U));

	// In another's place: the other one, mapped no more, is free.
	assert(page_insert(kern_pgdir, p1, va, 0) == 0);
	assert(p1->pp_ref == 2 && p0->pp_ref == 0 && page_free_count() == 1);
	assert(page_alloc(0) == p0);

	page_remove(kern_pgdir, va);
	assert(p1->pp_ref == 1 && !mapped(PGSIZE));
	page_remove(kern_pgdir, va); // Nothing there: nothing happens.
	assert(p1->pp_ref == 1);
	page_remove(kern_pgdir, va + PGSIZE);
	assert(p1->pp_ref == 0 && page_alloc(0) == p1 && !page_alloc(0));

	kern_pgdir[0] = 0;
	page_decref(table);
	give_back(list);
	page_free(p0);
	page_free(p1);
	assert(page_free_count() == free_before);
	CHECKED();
}

// n bytes at va are mapped to pa and the following, and may be used as perm says.
static void
check_mapping(uintptr_t va, physaddr_t pa, size_t n, int perm)
{
	for (size_t at = 0; at < n; at += PGSIZE)
		assert(mapped(va + at) == ((pa + at) | PTE_P | perm));
}

// Everything above UTOP is where memlayout.h says, with the right permissions, and
// nothing else is mapped.
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
		bool wanted = i == PDX(UVPT) || i == PDX(UPAGES) || i == PDX(UENVS) ||
			      i == PDX(MMIOBASE) || i == PDX(KSTACKTOP - 1) || i >= PDX(KERNBASE);
		assert(!!(kern_pgdir[i] & PTE_P) == wanted);
		if (i > PDX(data)) // Large pages, which stay in the TLB.
			assert((kern_pgdir[i] & (PTE_PS | PTE_G)) == (PTE_PS | PTE_G));
	}
	assert(PTE_ADDR(kern_pgdir[PDX(UVPT)]) == PADDR(kern_pgdir));
	CHECKED();
}

// Now that kern_pgdir is in use: what is inserted is seen at once, and so is that
// something else took its place; the kernel respects read-only pages; and devices'
// registers are mapped apart from each other, wherever they begin and end.
void
check_page_installed_pgdir(void)
{
	volatile physaddr_t *const window = (physaddr_t *)PGSIZE;
	struct PageInfo *first = page_alloc(0), *second = page_alloc(0);
	size_t free_before = page_free_count();

	// Each page holds its own address, so that it can be told which one is seen.
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

	// A page's length, but from the middle of one to the middle of the next.
	const physaddr_t device = 0xFEDCB010;
	uintptr_t a = (uintptr_t)mmio_map_region(device, PGSIZE);
	uintptr_t b = (uintptr_t)mmio_map_region(PTE_ADDR(device), 1);
	assert(a >= MMIOBASE && b >= PTE_ADDR(a) + 2 * PGSIZE && b < MMIOLIM);
	assert(PGOFF(a) == PGOFF(device) && PTE_ADDR(mapped(a)) == PTE_ADDR(device));
	assert(PTE_ADDR(mapped(a + PGSIZE)) == PTE_ADDR(device) + PGSIZE);
	assert(PGOFF(b) == 0 && PTE_ADDR(mapped(b)) == PTE_ADDR(device));
	pte_t wanted = PTE_P | PTE_W | PTE_PCD | PTE_PWT;
	assert((*pgdir_walk(kern_pgdir, (void *)a, 0) & (wanted | PTE_U)) == wanted);
	CHECKED();
}
