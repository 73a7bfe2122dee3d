#ifndef JOS_KERN_AUDIT_H
#define JOS_KERN_AUDIT_H

#include <inc/types.h>

// The audit: recount the kernel's bookkeeping and compare (audit.c).

// Record the pages that are in use now: they are never freed. counts is an array with a word for
// each page, for audit()'s use only. mem_init calls this right after page_init.
void audit_init(uint32_t *counts);

// Check everything. Prints "balanced" or the errors, and returns the number of errors. The caller
// holds the big lock.
int audit(void);

#endif // JOS_KERN_AUDIT_H
