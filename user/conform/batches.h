#ifndef JOS_USER_BATCHES_H
#define JOS_USER_BATCHES_H

// Arrays for sys_batch, and how many of their calls were made: for the conformance programs of
// sys_batch.

#include "conform.h"

// Pages of AREA: two writable pages for arrays, a read-only page, and an unmapped page.
#define CALLS    ((struct BatchCall *)AREA)
#define READONLY (AREA + 2 * PGSIZE)
#define NOTHING  (AREA + 3 * PGSIZE)

#define UNTOUCHED 0x5A5A5A5A // The result member of a call that has not been made

static inline void
set_up(void)
{
	CHECK_EQ(sys_page_alloc(0, AREA, PERM_WRITE), 0);
	CHECK_EQ(sys_page_alloc(0, AREA + PGSIZE, PERM_WRITE), 0);
	CHECK_EQ(sys_page_alloc(0, READONLY, PERM_READ), 0);
	CHECK_EQ(sys_page_unmap(0, NOTHING), 0);
	// Now SPARE has a page table: later mappings there need no memory for it.
	CHECK_EQ(sys_page_alloc(0, SPARE, PERM_READ), 0);
	CHECK_EQ(sys_page_unmap(0, SPARE), 0);
}

static inline struct BatchCall
make(uint32_t number, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t a4, uint32_t a5)
{
	return (struct BatchCall){ number, { a1, a2, a3, a4, a5 }, UNTOUCHED };
}

// An array of n calls that always succeed.
static inline void
fill(struct BatchCall *calls, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		calls[i] = make(SYS_getenvid, 0, 0, 0, 0, 0);
}

// Returns how many of n calls have been made, or -1 if a call was made after a call that was not.
static inline int
count_made(const struct BatchCall *calls, uint32_t n)
{
	uint32_t made = 0;

	while (made < n && calls[made].result == thisenv->env_id)
		made++;
	for (uint32_t i = made; i < n; i++) {
		if (calls[i].result != UNTOUCHED)
			return -1;
	}
	return made;
}

#endif // JOS_USER_BATCHES_H
