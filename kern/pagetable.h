#ifndef JOS_KERN_PAGETABLE_H
#define JOS_KERN_PAGETABLE_H

// Page tables: the lab's functions that find, make and remove mappings, inlined in system calls and
// traps. (pmap.c also compiles them as ordinary functions, so that GDB can call them.) The slow
// paths (a new page table, another CPU's TLB, a page that becomes free) are in pmap.c and tlb.c.
// Callers hold the big lock.

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

// Decrement a page's reference count. When the count becomes 0, the page becomes free.
PAGETABLE_INLINE void
page_decref(struct PageInfo *pp)
{
	if (pp->pp_ref > 1)
		pp->pp_ref--;
	else
		page_last_decref(pp);
}

// Return a pointer to va's page table entry, or NULL if va has no page table, for example because
// one of the kernel's 4 MB pages maps va. With `create`, add a missing page table, and return NULL
// only if there is no memory for it.
PAGETABLE_INLINE pte_t *
pgdir_walk(pde_t *pgdir, const void *va, int create)
{
	pde_t *pde = &pgdir[PDX(va)];

	assert(kernel_locked());
	if ((*pde & (PTE_P | PTE_PS)) == PTE_P)
		return (pte_t *)(PTE_ADDR(*pde) + KERNBASE) + PTX(va); // Needs no check by KADDR
	return create ? pgdir_walk_create(pde, va) : NULL;
}

// Return the page that is mapped at va, or NULL. If a page is mapped there, *pte_store (unless
// pte_store is NULL) gets a pointer to the page table entry.
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

// Remove the entry for va in this page directory from the TLBs of all CPUs. A new mapping needs no
// call, because TLBs have no entries for unmapped addresses (Intel, volume 3, section 4.10.2.3).
PAGETABLE_INLINE void
tlb_invalidate(pde_t *pgdir, void *va)
{
	const struct Env *e = thiscpu->cpu_env;

	if (e && e->env_pgdir != pgdir)
		tlb_shootdown(pgdir);
	else // Without an environment, pgdir is the kernel's or on no CPU.
		invlpg(va);
}

// Replace a page table entry atomically: a CPU that uses the page table meanwhile finds the old
// page or the new page. TLBs must drop the old entry even if only its accessed or dirty bit
// differs: a CPU whose TLB entry has that bit set would not set the bit in memory again.
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

// Map a page at va with permissions perm | PTE_P. A page that was mapped at va is unmapped. Returns
// 0, or -E_NO_MEM if there is no memory for a page table. After an error nothing has changed.
PAGETABLE_INLINE int
page_insert(pde_t *pgdir, struct PageInfo *pp, void *va, int perm)
{
	pte_t *pte = pgdir_walk(pgdir, va, 1);

	if (!pte)
		return -E_NO_MEM;
	pp->pp_ref++; // First: if pp is already mapped at va, it must not become free.
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

// Return whether env may access the page at va with permissions perm | PTE_U | PTE_P. The page
// directory entry must also allow the access, because only that entry makes the page tables at UVPT
// read-only.
static inline bool
user_page_ok(const struct Env *env, const void *va, int perm)
{
	const pte_t *pte = pgdir_walk(env->env_pgdir, va, 0);
	uint32_t wanted = perm | PTE_U | PTE_P;

	return (uintptr_t)va < ULIM && pte && (*pte & env->env_pgdir[PDX(va)] & wanted) == wanted;
}

#endif // JOS_KERN_PAGETABLE_H
