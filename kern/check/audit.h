#ifndef JOS_KERN_AUDIT_H
#define JOS_KERN_AUDIT_H

#include <inc/types.h>

// Whether the kernel's books balance (audit.c).

// Remember which pages are taken now, for they stay so. counts: a word for each page,
// to be used by audit() alone. mem_init calls it, right after page_init.
void audit_init(uint32_t *counts);

// Check all there is to check. Says in a line that all is well, or what is wrong, and
// returns how many errors it found. The caller holds the big lock.
int audit(void);

#endif // JOS_KERN_AUDIT_H
