// Challenge: a fork with fewer entries into the kernel. fork_batched does the same as fork and
// gives the same guarantees, but it collects its calls of sys_page_map in a batch
// (lib/challenge/batch.c). A program can call fork_batched instead of fork. docs/costs.md compares
// the costs.
//
// The calls of a batch are executed in order, up to the first call that fails. So, as in fork, the
// parent's pages become copy-on-write only after the child has all its pages.

#include <lib/fork.h>

// The kernel writes results into the batch, but the kernel does not write to a PTE_COW page. So
// PRIVATE places the batch on a page that is never PTE_COW.
PRIVATE static struct Batch batch;

// The same as duppage in lib/fork.c, but adds its sys_page_map call to the batch.
static int
give_page(envid_t child, uint32_t pn)
{
	int perm = _page_perm(pn);

	if (_copied_at_once(pn))
		return _copy_page(child, pn, own_perm(perm));
	return batch_page_map(&batch, 0, page_va(pn), child, page_va(pn), _cow_perm(perm));
}

// The same as protect_page in lib/fork.c, but adds its sys_page_map call to the batch.
static int
protect_page(uint32_t pn)
{
	int perm = _page_perm(pn);

	if (_copied_at_once(pn) || perm == _cow_perm(perm))
		return 0;
	return batch_page_map(&batch, 0, page_va(pn), 0, page_va(pn), _cow_perm(perm));
}

envid_t
fork_batched(void)
{
	int r = _begin_fork(read_esp() - STACK_MARGIN, (uintptr_t)__builtin_frame_address(0));

	if (r < 0)
		return r;
	envid_t child = sys_exofork();
	if (child < 0)
		return child;
	if (child == 0) {
		thisenv = &envs[ENVX(sys_getenvid())];
		return 0;
	}
	// If this environment was created by fork_batched, `batch` is a copy of the parent's batch
	// and may contain calls of the parent. Remove these calls.
	batch.count = 0;
	r = _give_upcalls(child);
	for (uint32_t pn = _next_page(0); pn < XSTACK_PAGE && r == 0; pn = _next_page(pn + 1))
		r = give_page(child, pn);
	for (uint32_t pn = _next_page(0); pn < XSTACK_PAGE && r == 0; pn = _next_page(pn + 1))
		r = protect_page(pn);
	if (r == 0)
		r = batch_flush(&batch);
	return _end_fork(child, r);
}
