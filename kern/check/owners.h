#ifndef JOS_KERN_OWNERS_H
#define JOS_KERN_OWNERS_H

#include <inc/env.h>

#include <kern/check/audit.h>

// Who uses each physical page (owners.c), for the command memmap. Callers hold the big lock.

// One word per page, which find_owners sets: the flags of audit.h, and in place of the number of
// mappings, these fields. The owner is the first environment in envs[] that uses the page.
extern uint32_t *page_words;

#define PAGE_SHARED   (1U << 26) // Mapped more than once
#define PAGE_COW      (1U << 25) // An environment that has been started maps it copy-on-write
#define PAGE_WRITABLE (1U << 24) // An environment can write to it
#define PAGE_OWNED    (1U << 23) // The page has an owner. The two fields below are valid.
#define PAGE_KIND     (3U << LOG2NENV)
#define PAGE_SLOT     (NENV - 1)

// What the owner uses the page for: values of the field PAGE_KIND.
enum {
	KIND_MAPPED = 0U << LOG2NENV, // Mapped below UTOP
	KIND_DIRECTORY = 1U << LOG2NENV,
	KIND_TABLE = 2U << LOG2NENV,
	KIND_FPU = 3U << LOG2NENV, // Floating-point state
};

// A page that is copy-on-write for one environment, while another can write to it. This is a
// mistake of a program. find_owners marks the page PAGE_WRONG, as the audit marks the kernel's
// mistakes.
#define PAGE_BROKEN_COW (PAGE_COW | PAGE_WRITABLE)

// Set page_words[], until the next audit.
void find_owners(void);

// What a page that is PAGE_RESERVED is used for.
enum Reserved { RESERVED_OTHER, RESERVED_KERNEL, RESERVED_STACK };
enum Reserved reserved_kind(size_t page);

// Return the first mapped page from virtual page number vpn on, below UTOP, and set *pte to its
// page table entry. Returns PGNUM(UTOP) if there is none.
uint32_t next_mapped(const pde_t *pgdir, uint32_t vpn, pte_t *pte);

#endif // JOS_KERN_OWNERS_H
