// sys_batch executes several system calls in one kernel entry. The caller passes an array of calls.
// The kernel executes each call as if the caller had issued the call alone, and stores the call's
// result in the array. Only short calls that never sleep are allowed, so the kernel never has to
// save an unfinished batch.
//
// The array is in the caller's memory. During the batch, another CPU may write to the array, and
// one of the calls may unmap the array. So the kernel checks and copies the array before the first
// call, reads only the copy, and checks the array again before it stores the results. If the caller
// has no permission to write to the array at that time, the kernel destroys the caller.

#include <inc/assert.h>
#include <inc/error.h>
#include <inc/string.h>

#include <kern/env.h>
#include <kern/pmap.h>
#include <kern/spinlock.h>
#include <kern/syscall.h>

// The allowed calls. None of them prints, reads keys, waits, or creates or destroys an environment.
#define ALLOWED                                                                                 \
	(1 << SYS_getenvid | 1 << SYS_page_alloc | 1 << SYS_page_map | 1 << SYS_page_unmap |    \
	    1 << SYS_env_set_status | 1 << SYS_env_set_pgfault_upcall | 1 << SYS_ipc_try_send | \
	    1 << SYS_env_set_exception_upcall)

static_assert(NSYSCALLS <= 32);

// Execute up to n calls, from calls[0] on. Returns the number of executed calls.
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
		// There is no memory now, but a dying environment will soon free some. So stop
		// before this call: the caller can issue this call and the calls after it again.
		if (c->result == -E_NO_MEM && envs_dying)
			break;
		// If the caller has stopped itself, stop after this call. When the caller runs
		// again, it can issue the remaining calls.
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
	struct BatchCall calls[BATCH_MAX];

	assert(kernel_locked());
	if ((uintptr_t)array % sizeof(uint32_t) != 0 || (flags & ~BATCH_STOP))
		return -E_INVAL;
	n = MIN(n, (size_t)BATCH_MAX);
	user_mem_assert(caller, array, n * sizeof(*array), PTE_W);
	if (curenv != caller)
		return 0;
	user_access_begin();
	memcpy(calls, array, n * sizeof(*array));
	user_access_end();

	size_t made = make_calls(caller, calls, n, flags);
	if (curenv != caller) // The caller was an orphan, stopped itself, and was destroyed.
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
