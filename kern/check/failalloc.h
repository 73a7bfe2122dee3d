#ifndef JOS_KERN_FAILALLOC_H
#define JOS_KERN_FAILALLOC_H

#include <inc/types.h>

// Make page allocations fail on purpose (failalloc.c). The caller holds the big lock.

// Choose the allocation that fails. text is "K": the K-th call of page_alloc from now on fails;
// "K+": that call and all later ones fail; "0": no call fails. Returns false for any other text.
bool failalloc_set(const char *text);

// Calls of page_alloc up to and including the one that fails; 0: no call fails. failalloc_count
// counts one call, and returns whether it must fail.
extern uint32_t failalloc_left;
bool failalloc_count(void);

// For page_alloc only: whether this call must fail.
static inline bool
failalloc_now(void)
{
	return failalloc_left > 0 && failalloc_count();
}

#endif // JOS_KERN_FAILALLOC_H
