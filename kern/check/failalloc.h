#ifndef JOS_KERN_FAILALLOC_H
#define JOS_KERN_FAILALLOC_H

#include <inc/types.h>

// Page allocations that fail on purpose (failalloc.c). The caller holds the big lock.

// "K": the K-th page_alloc from now on fails. "K+": and so do all after it. "0": none.
// False: it is none of these.
bool failalloc_set(const char *text);

// The one that fails is so many from now on; 0: none does. failalloc_count takes one off.
extern uint32_t failalloc_left;
bool failalloc_count(void);

// For page_alloc alone: whether this one must fail.
static inline bool
failalloc_now(void)
{
	return failalloc_left > 0 && failalloc_count();
}

#endif // JOS_KERN_FAILALLOC_H
