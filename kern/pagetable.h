#ifndef JOS_KERN_PAGETABLE_H
#define JOS_KERN_PAGETABLE_H

// Page tables, in line: for pmap.c, and for the calls and traps that shall cost little. What
// is rare (a new page table, another CPU's TLB, a page's last mapping) is left to the
// functions of pmap.c and tlb.c. The caller holds the big lock: they assert it, and so does
// everybody through whom users come here.

#include <inc/env.h>
#include <inc/error.h>
#include <inc/memlayout.h>
#include <inc/x86.h>

#include <kern/pmap.h>
#include <kern/tlb.h>

// pgdir_walk that makes no table: the entry for va in pgdir's page tables, or NULL. (For a
// page of 4 MB, too.)
static inline pte_t *
find_pte(const pde_t *pgdir, const void *va)
{
	pde_t pde = pgdir[PDX(va)];

	if ((pde & (PTE_P | PTE_PS)) != PTE_P)
		return NULL;
	return (pte_t *)(PTE_ADDR(pde) + KERNBASE) + PTX(va); // As KADDR: it is our own table.
}

// The page that an entry maps, which was made by page_insert or here.
static inline struct PageInfo *
pte_page(pte_t pte)
{
	return &pages[PGNUM(pte)];
}

// page_decref: one mapping of a page went away.
static inline void
drop_page(struct PageInfo *pp)
{
	if (pp->pp_ref > 1)
		pp->pp_ref--;
	else
		page_decref(pp);
}

// Put another entry in place of va's, in one step: another CPU that runs in pgdir must find
// the old page or the new one, and never neither. If the new entry is the old one, no CPU
// has to forget it: unless one has noted there that it used the page, or wrote to it, which
// it would not note again. (This and the next are not small: clang would not inline them.)
static inline __attribute__((always_inline)) void
replace_pte(pde_t *pgdir, void *va, pte_t *pte, pte_t new)
{
	pte_t old = xchg(pte, new);

	if (!(old & PTE_P))
		return;
	if (old != new)
		tlb_forget(pgdir, va);
	drop_page(pte_page(old));
}

// page_insert: map a page at va, with an entry that has its address and permissions, PTE_P
// among them. 0 or -E_NO_MEM.
static inline __attribute__((always_inline)) int
insert_pte(pde_t *pgdir, void *va, pte_t new)
{
	pte_t *pte = find_pte(pgdir, va);

	if (!pte && !(pte = pgdir_walk(pgdir, va, 1)))
		return -E_NO_MEM;
	pte_page(new)->pp_ref++; // First: it may be there already, and must not become free.
	replace_pte(pgdir, va, pte, new);
	return 0;
}

// page_remove: map nothing at va any more.
static inline void
remove_pte(pde_t *pgdir, void *va)
{
	pte_t *pte = find_pte(pgdir, va);

	if (pte)
		replace_pte(pgdir, va, pte, 0);
}

// Whether env may access what it has at va, up to the end of that page, with permissions
// perm (PTE_P and PTE_U are meant in any case).
static inline bool
user_page_ok(const struct Env *env, const void *va, int perm)
{
	const pte_t *pte = find_pte(env->env_pgdir, va);
	uint32_t wanted = perm | PTE_P | PTE_U;

	// Both levels must allow it: the page tables at UVPT are not for writing.
	return (uintptr_t)va < ULIM && pte && (*pte & env->env_pgdir[PDX(va)] & wanted) == wanted;
}

#endif // JOS_KERN_PAGETABLE_H
