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

// Check everything. Prints "balanced" or the errors, and returns the number of errors. The caller
// holds the big lock.
int audit(void);

#endif // JOS_KERN_AUDIT_H
