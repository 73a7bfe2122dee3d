#ifndef JOS_KERN_FAILALLOC_H
#define JOS_KERN_FAILALLOC_H

#include <inc/types.h>

// Make page allocations fail on purpose (failalloc.c). The caller holds the big lock.

// Choose the allocation that fails. If text is "K", the K-th call of page_alloc from now on fails.
// If text is "K+", the K-th call and all later calls fail. If text is "0", no call fails. Returns
// false for any other text.
bool failalloc_set(const char *text);

// Number of calls of page_alloc up to and including the call that fails, or 0 if no call fails.
// failalloc_count counts a call, and returns whether this call must fail.
extern uint32_t failalloc_left;
bool failalloc_count(void);

// For page_alloc only: return whether this call to page_alloc must fail.
static inline bool
failalloc_now(void)
{
	return failalloc_left > 0 && failalloc_count();
}

#endif // JOS_KERN_FAILALLOC_H
