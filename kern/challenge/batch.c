// sys_batch: several system calls in one entry into the kernel. The caller passes an array of
// calls. Each call is made as if the caller had made it alone, and its result is stored in the
// array. Only short calls that never sleep are allowed, so the kernel need not save an unfinished
// batch.
//
// The array is in the caller's memory. While the calls are made, another CPU may write to the
// array, and a call may unmap it. So the array is checked and copied before the first call, only
// the copy is read, and the array is checked again before the results are stored. If the caller may
// no longer write to the array, the caller is destroyed.

#include <inc/assert.h>
#include <inc/error.h>
#include <inc/string.h>

#include <kern/env.h>
#include <kern/pmap.h>
#include <kern/spinlock.h>
#include <kern/syscall.h>

// The allowed calls. None of them prints, reads keys, waits, or makes or destroys an environment.
#define ALLOWED                                                                                 \
	(1 << SYS_getenvid | 1 << SYS_page_alloc | 1 << SYS_page_map | 1 << SYS_page_unmap |    \
	    1 << SYS_env_set_status | 1 << SYS_env_set_pgfault_upcall | 1 << SYS_ipc_try_send | \
	    1 << SYS_env_set_exception_upcall)

static_assert(NSYSCALLS <= 32);

// Make up to n of the caller's calls. Returns the number of calls made.
static size_t
make_calls(struct Env *caller, struct BatchCall *calls, size_t n, int flags)
{
	struct BatchCall *c;

	for (c = calls; c < calls + n;) {
		if (c->number < NSYSCALLS && (ALLOWED & 1U << c->number))
			c->result = syscall_table[c->number](
			    c->args[0], c->args[1], c->args[2], c->args[3], c->args[4]);
		else
			c->result = -E_INVAL;
		// Memory will be free soon: stop here. The caller makes the remaining calls later.
		if (c->result == -E_NO_MEM && envs_dying)
			break;
		// If the caller has stopped itself, it makes the remaining calls when it is started
		// again.
		if (((c++)->result < 0 && (flags & BATCH_STOP)) ||
		    caller->env_status != ENV_RUNNING)
			break;
	}
	return c - calls;
}

int
sys_batch(struct BatchCall *array, size_t n, int flags)
{
	struct Env *caller = curenv;
	struct BatchCall calls[BATCH_MOST];

	assert(kernel_locked());
	if ((uintptr_t)array % sizeof(uint32_t) != 0 || (flags & ~BATCH_STOP))
		return -E_INVAL;
	n = MIN(n, (size_t)BATCH_MOST);
	user_mem_assert(caller, array, n * sizeof(*array), PTE_W);
	if (curenv != caller)
		return 0;
	user_access_begin();
	memcpy(calls, array, n * sizeof(*array));
	user_access_end();

	size_t made = make_calls(caller, calls, n, flags);
	if (curenv != caller) // The caller was an orphan and has stopped itself: destroyed.
		return 0;
	if (made == 0 && n > 0)
		return -E_NO_MEM; // call_failed() in syscall.c repeats sys_batch.
	n = made;
	user_mem_assert(caller, array, n * sizeof(*array), PTE_W);
	if (curenv != caller)
		return 0;
	user_access_begin();
	for (size_t i = 0; i < n; i++)
		array[i].result = calls[i].result;
	user_access_end();
	return n;
}
