#ifndef JOS_KERN_AUDIT_H
#define JOS_KERN_AUDIT_H

#include <inc/types.h>

// The audit: compute the kernel's bookkeeping data again, and compare (audit.c).

// Record the pages that are in use now: these pages will never be freed. `counts` is an array with
// one word per page, which only audit() uses. mem_init calls audit_init right after page_init.
void audit_init(uint32_t *counts);

struct PageInfo;

// Treat a page, which has one reference, like the pages that were in use at boot.
void audit_reserve(const struct PageInfo *pp);

// What audit_page_words returns for a page: the number of its mappings, and flags.
#define PAGE_RESERVED (1U << 31) // In use since boot and never freed: the kernel, or not RAM
#define PAGE_HELD     (1U << 30) // Used by the kernel for one purpose: programs must not map it
#define PAGE_LISTED   (1U << 29) // On the free list
#define PAGE_WRONG    (1U << 28) // An error was found with this page
#define PAGE_ADDED    (1U << 27) // PAGE_RESERVED by audit_reserve, not by audit_init
#define PAGE_MAPPINGS (PAGE_ADDED - 1)

// Check everything, and print nothing. Returns an array with one word per page. The caller holds
// the big lock. Until the next audit, the caller may change all bits of a word except
// PAGE_RESERVED and PAGE_ADDED.
uint32_t *audit_page_words(void);

// Check everything. Prints "balanced" or the errors, and returns the number of errors. The caller
// holds the big lock.
int audit(void);

#endif // JOS_KERN_AUDIT_H
