#ifndef JOS_KERN_FAILALLOC_H
#define JOS_KERN_FAILALLOC_H

#include <inc/types.h>

// Page allocations that fail on purpose (failalloc.c). The caller holds the big lock.

// "K": the K-th page_alloc from now on fails. "K+": and so do all after it. "0": none.
// False: it is none of these.
bool failalloc_set(const char *text);

// For page_alloc alone: whether this one must fail.
bool failalloc_now(void);

#endif // JOS_KERN_FAILALLOC_H
