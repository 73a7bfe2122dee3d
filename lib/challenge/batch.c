// Batches of system calls. A program collects calls in a struct Batch. The calls are executed
// together, by sys_batch, when the batch is full or when the program calls batch_flush. After a
// call that fails, no later call of the batch is executed. inc/lib.h describes the functions.

#include <inc/lib.h>

int
batch_flush(struct Batch *b)
{
	uint32_t left = b->count;

	if (left == 0)
		return 0;
	// A Batch is on one page or on two, and a fork may have made these pages PTE_COW. The
	// kernel does not write results to a PTE_COW page. So write to the first and the last word
	// of b here: pgfault then maps copies of the pages.
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

// Add a call to the batch; if the batch is full, execute its calls first. Arguments that the call
// does not have are 0. Returns 0, or the error of an earlier call.
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
