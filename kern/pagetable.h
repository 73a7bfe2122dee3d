#ifndef JOS_KERN_PAGETABLE_H
#define JOS_KERN_PAGETABLE_H

// Page tables: the lab's functions that find, add and remove mappings. They are inline functions,
// to make system calls and traps fast. (pmap.c also compiles them as ordinary functions, so that
// GDB can call them.) pmap.c and tlb.c contain the slow paths: for a new page table, for another
// CPU's TLB, and for a page that becomes free. Callers hold the big lock.

#include <inc/assert.h>
#include <inc/env.h>
#include <inc/error.h>
#include <inc/memlayout.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/pmap.h>
#include <kern/spinlock.h>
#include <kern/tlb.h>

#ifndef PAGETABLE_INLINE
#define PAGETABLE_INLINE static inline
#endif

// Decrement a page's reference count. If the count becomes 0, free the page.
PAGETABLE_INLINE void
page_decref(struct PageInfo *pp)
{
	if (pp->pp_ref > 1)
		pp->pp_ref--;
	else
		page_last_decref(pp);
}

// Return a pointer to the page table entry for va, or NULL if va has no page table. If `create` is
// set, first add a missing page table, and return NULL only if there is no memory for it.
// (Addresses in the kernel's 4 MB pages have no page table.)
PAGETABLE_INLINE pte_t *
pgdir_walk(pde_t *pgdir, const void *va, int create)
{
	pde_t *pde = &pgdir[PDX(va)];

	assert(kernel_locked());
	if ((*pde & (PTE_P | PTE_PS)) == PTE_P)
		return (pte_t *)(PTE_ADDR(*pde) + KERNBASE) + PTX(va); // KADDR without its check
	return create ? pgdir_walk_create(pde, va) : NULL;
}

// Return the page that is mapped at va, or NULL if no page is mapped there. If there is a page and
// pte_store is not NULL, store a pointer to the page table entry in *pte_store.
PAGETABLE_INLINE struct PageInfo *
page_lookup(pde_t *pgdir, void *va, pte_t **pte_store)
{
	pte_t *pte = pgdir_walk(pgdir, va, 0);

	if (!pte || !(*pte & PTE_P))
		return NULL;
	if (pte_store)
		*pte_store = pte;
	return &pages[PGNUM(*pte)];
}

// Remove the translation of va in this page directory from the TLBs of all CPUs. Not needed for a
// new mapping: TLBs have no entries for unmapped addresses (Intel, volume 3, section 4.10.2.3).
PAGETABLE_INLINE void
tlb_invalidate(pde_t *pgdir, void *va)
{
	const struct Env *e = thiscpu->cpu_env;

	if (e && e->env_pgdir != pgdir)
		tlb_shootdown(pgdir);
	else // No other CPU runs an environment with pgdir (also if e is NULL).
		invlpg(va);
}

// Replace a page table entry atomically: a CPU that uses the entry at the same time finds the old
// page or the new page. If any bit changes, remove the old entry from the TLBs. This also applies
// to the accessed and dirty bits: a CPU sets them in memory only if they are clear in its TLB.
static inline __attribute__((always_inline)) void
replace_pte(pde_t *pgdir, void *va, pte_t *pte, pte_t new)
{
	pte_t old = xchg(pte, new);

	if (!(old & PTE_P))
		return;
	if (old != new)
		tlb_invalidate(pgdir, va);
	page_decref(&pages[PGNUM(old)]);
}

// Map a page at va with permissions perm | PTE_P. If a page is already mapped at va, unmap that
// page. Returns 0, or -E_NO_MEM if there is no memory for a page table: then nothing has changed.
PAGETABLE_INLINE int
page_insert(pde_t *pgdir, struct PageInfo *pp, void *va, int perm)
{
	pte_t *pte = pgdir_walk(pgdir, va, 1);

	if (!pte)
		return -E_NO_MEM;
	pp->pp_ref++; // Before replace_pte: if pp is already mapped at va, pp must not become free.
	replace_pte(pgdir, va, pte, page2pa(pp) | perm | PTE_P);
	return 0;
}

// If a page is mapped at va, unmap the page.
PAGETABLE_INLINE void
page_remove(pde_t *pgdir, void *va)
{
	pte_t *pte = pgdir_walk(pgdir, va, 0);

	if (pte)
		replace_pte(pgdir, va, pte, 0);
}

// Return whether env may access the page at va with permissions perm | PTE_U | PTE_P. Both the page
// table entry and the page directory entry must allow the access. (At UVPT, programs must not write
// to the page tables, and only the page directory entry prevents this.)
static inline bool
user_page_ok(const struct Env *env, const void *va, int perm)
{
	const pte_t *pte = pgdir_walk(env->env_pgdir, va, 0);
	uint32_t wanted = perm | PTE_U | PTE_P;

	return (uintptr_t)va < ULIM && pte && (*pte & env->env_pgdir[PDX(va)] & wanted) == wanted;
}

#endif // JOS_KERN_PAGETABLE_H
