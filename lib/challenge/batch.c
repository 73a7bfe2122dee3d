// Batches of system calls. A program collects calls in a struct Batch. When the batch is full, or
// when the program calls batch_flush, sys_batch executes the calls together. If a call fails, the
// later calls of the batch are not executed. inc/lib.h describes the functions.

#include <inc/lib.h>

int
batch_flush(struct Batch *b)
{
	uint32_t left = b->count;

	if (left == 0)
		return 0;
	// The kernel does not write results to a PTE_COW page, and a fork may have made the pages
	// of *b PTE_COW. So write to *b here: pgfault (lib/fork.c) then replaces the pages with
	// copies. *b is on at most two pages, so two writes are enough: one to the first member,
	// and one to the last call.
	b->count = 0;
	b->calls[left - 1].result = 0;
	for (struct BatchCall *calls = b->calls; left > 0;) {
		int made = sys_batch(calls, left, BATCH_STOP);
		if (made < 0)
			return made;
		calls += made;
		left -= made;
		if (calls[-1].result < 0)
			return calls[-1].result;
	}
	return 0;
}

// Add a call to the batch. If the batch is full, first execute its calls. If one of these calls
// fails, return its error and do not add the new call. Otherwise return 0. Arguments that the call
// does not have are 0.
static int
add(struct Batch *b, uint32_t number, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t a4,
    uint32_t a5)
{
	int r = b->count == BATCH_MAX ? batch_flush(b) : 0;

	if (r == 0)
		b->calls[b->count++] = (struct BatchCall){ number, { a1, a2, a3, a4, a5 }, 0 };
	return r;
}

int
batch_page_alloc(struct Batch *b, envid_t envid, void *va, int perm)
{
	return add(b, SYS_page_alloc, envid, (uint32_t)va, perm, 0, 0);
}

int
batch_page_map(struct Batch *b, envid_t srcenv, void *srcva, envid_t dstenv, void *dstva, int perm)
{
	return add(b, SYS_page_map, srcenv, (uint32_t)srcva, dstenv, (uint32_t)dstva, perm);
}

int
batch_page_unmap(struct Batch *b, envid_t envid, void *va)
{
	return add(b, SYS_page_unmap, envid, (uint32_t)va, 0, 0, 0);
}

int
batch_env_set_status(struct Batch *b, envid_t envid, int status)
{
	return add(b, SYS_env_set_status, envid, status, 0, 0, 0);
}

int
batch_env_set_exception_upcall(struct Batch *b, envid_t envid, uint32_t trapno, void *upcall)
{
	return add(b, SYS_env_set_exception_upcall, envid, trapno, (uint32_t)upcall, 0, 0);
}
