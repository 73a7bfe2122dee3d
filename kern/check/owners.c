// Who uses each physical page, for the command memmap. The audit counts the mappings and finds the
// mistakes; this file adds the owners and what a page is used for.

#include <kern/check/audit.h>
#include <kern/check/owners.h>
#include <kern/env.h>
#include <kern/pmap.h>

uint32_t *page_words;

uint32_t
next_mapped(const pde_t *pgdir, uint32_t vpn, pte_t *pte)
{
	while (vpn < PGNUM(UTOP)) {
		pde_t pde = pgdir[vpn / NPTENTRIES];
		if ((pde & (PTE_P | PTE_PS)) != PTE_P || PGNUM(pde) >= npages) {
			vpn = ROUNDDOWN(vpn, NPTENTRIES) + NPTENTRIES;
			continue;
		}
		*pte = ((pte_t *)KADDR(PTE_ADDR(pde)))[vpn % NPTENTRIES];
		if (*pte & PTE_P)
			break;
		vpn++;
	}
	return MIN(vpn, PGNUM(UTOP));
}

static void
set_owner(physaddr_t pa, const struct Env *e, uint32_t kind, uint32_t flags)
{
	if (PGNUM(pa) >= npages)
		return;
	uint32_t *word = &page_words[PGNUM(pa)];
	*word |= flags;
	if (!(*word & PAGE_OWNED))
		*word |= PAGE_OWNED | kind | (uint32_t)(e - envs);
}

// Return the flags of a page that e maps like this. A child that fork is still making does not
// count as copy-on-write: its parent becomes copy-on-write later, before the child is started.
static uint32_t
flags_of_mapping(const struct Env *e, pte_t pte)
{
	bool started = !e->env_stopped || e->env_runs > 0;

	if (pte & PTE_W)
		return PAGE_WRITABLE;
	return started && (pte & (PTE_COW | PTE_SHARE)) == PTE_COW ? PAGE_COW : 0;
}

static void
set_owners(const struct Env *e)
{
	pte_t pte;

	set_owner(PADDR(e->env_pgdir), e, KIND_DIRECTORY, 0);
	if (e->env_fpu)
		set_owner(PADDR(e->env_fpu), e, KIND_FPU, 0);
	for (uint32_t pdx = 0; pdx < PDX(UTOP); pdx++) {
		if (e->env_pgdir[pdx] & PTE_P)
			set_owner(PTE_ADDR(e->env_pgdir[pdx]), e, KIND_TABLE, 0);
	}
	for (uint32_t vpn = 0; (vpn = next_mapped(e->env_pgdir, vpn, &pte)) < PGNUM(UTOP); vpn++)
		set_owner(PTE_ADDR(pte), e, KIND_MAPPED, flags_of_mapping(e, pte));
}

void
find_owners(void)
{
	page_words = audit_page_words();
	for (size_t i = 0; i < npages; i++) {
		bool shared = (page_words[i] & PAGE_MAPPINGS) > 1;
		page_words[i] = (page_words[i] & ~PAGE_MAPPINGS) | (shared ? PAGE_SHARED : 0);
	}
	for (const struct Env *e = envs; e < envs + NENV; e++) {
		if (e->env_pgdir)
			set_owners(e);
	}
	for (size_t i = 0; i < npages; i++) {
		if ((page_words[i] & PAGE_BROKEN_COW) == PAGE_BROKEN_COW)
			page_words[i] |= PAGE_WRONG;
	}
}

static bool
is_in(size_t page, const void *array, size_t size)
{
	return page >= PGNUM(PADDR(array)) && page <= PGNUM(PADDR(array) + size - 1);
}

// The kernel starts at EXTPHYSMEM, and the tables that boot_alloc has allocated follow it.
enum Reserved
reserved_kind(size_t page)
{
	static size_t limit; // The end of these tables

	if (limit == 0) {
		limit = PGNUM(PADDR(end));
		while (limit < npages &&
		       (page_words[limit] & (PAGE_RESERVED | PAGE_ADDED)) == PAGE_RESERVED)
			limit++;
	}
	if (is_in(page, percpu_kstacks, sizeof(percpu_kstacks)) ||
	    is_in(page, percpu_dfstacks, sizeof(percpu_dfstacks)))
		return RESERVED_STACK;
	bool at_boot = page >= PGNUM(EXTPHYSMEM) && page < limit;
	return at_boot || (page_words[page] & PAGE_ADDED) ? RESERVED_KERNEL : RESERVED_OTHER;
}
