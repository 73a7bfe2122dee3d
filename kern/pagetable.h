#ifndef JOS_KERN_PAGETABLE_H
#define JOS_KERN_PAGETABLE_H

// Page tables: the lab's functions that find, make and remove mappings. They are here, and not in
// pmap.c, so that the system calls and traps get them inlined; what is rare (a new page table,
// another CPU's TLB, a page that becomes free) is a call to pmap.c or tlb.c. pmap.c itself compiles
// them as functions, for GDB. The caller of each function holds the big lock.

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

// Count one mapping of a page less. The page becomes free with its last mapping.
PAGETABLE_INLINE void
page_decref(struct PageInfo *pp)
{
	if (pp->pp_ref > 1)
		pp->pp_ref--;
	else
		page_last_decref(pp);
}

// Return a pointer to the page table entry for va. If va has no page table: with `create` add one
// (and return NULL if there is no memory), otherwise return NULL. A 4 MB page, which only the
// kernel has, counts as no page table.
PAGETABLE_INLINE pte_t *
pgdir_walk(pde_t *pgdir, const void *va, int create)
{
	pde_t *pde = &pgdir[PDX(va)];

	assert(kernel_locked());
	if ((*pde & (PTE_P | PTE_PS)) == PTE_P)
		return (pte_t *)(PTE_ADDR(*pde) + KERNBASE) + PTX(va); // The address is our own.
	return create ? pgdir_walk_create(pde, va) : NULL;
}

// Return the page that is mapped at va, or NULL. If there is one, *pte_store (unless pte_store is
// NULL) gets a pointer to its page table entry.
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

// Make all CPUs forget what they remember of va in this page directory. (No CPU remembers that
// something is not mapped: Intel, volume 3, section 4.10.2.3. So a new mapping needs no call.)
PAGETABLE_INLINE void
tlb_invalidate(pde_t *pgdir, void *va)
{
	const struct Env *e = thiscpu->cpu_env;

	if (e && e->env_pgdir != pgdir)
		tlb_shootdown(pgdir);
	else // Without an environment, the page directory is the kernel's, or on no CPU.
		invlpg(va);
}

// Replace a page table entry in one step: a CPU that uses the page table meanwhile finds the old
// page or the new one. The TLBs must drop the old entry even if only its accessed or dirty bit
// differs: a CPU that remembers the bit as set would not set it again.
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

// Map a page at va with permissions `perm`; PTE_P is added. A page that was mapped there is
// unmapped. Returns 0, or -E_NO_MEM if there is no page for a page table: then nothing has changed.
PAGETABLE_INLINE int
page_insert(pde_t *pgdir, struct PageInfo *pp, void *va, int perm)
{
	pte_t *pte = pgdir_walk(pgdir, va, 1);

	if (!pte)
		return -E_NO_MEM;
	pp->pp_ref++; // First: if the page is already mapped there, it must not become free.
	replace_pte(pgdir, va, pte, page2pa(pp) | perm | PTE_P);
	return 0;
}

// Unmap the page at va, if one is mapped there.
PAGETABLE_INLINE void
page_remove(pde_t *pgdir, void *va)
{
	pte_t *pte = pgdir_walk(pgdir, va, 0);

	if (pte)
		replace_pte(pgdir, va, pte, 0);
}

// Return whether an environment may access the page at va with permissions perm | PTE_U | PTE_P.
// Both the page table entry and the page directory entry must allow it: the page tables that are
// mapped at UVPT are read-only.
static inline bool
user_page_ok(const struct Env *env, const void *va, int perm)
{
	const pte_t *pte = pgdir_walk(env->env_pgdir, va, 0);
	uint32_t wanted = perm | PTE_U | PTE_P;

	return (uintptr_t)va < ULIM && pte && (*pte & env->env_pgdir[PDX(va)] & wanted) == wanted;
}

#endif // JOS_KERN_PAGETABLE_H
