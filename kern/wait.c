// How an environment waits in a system call. While an environment waits, it is not runnable, and
// its registers are in env_tf, as for any environment that is not on a CPU. At the end of the wait,
// wait_end writes the result of the system call to env_tf. So a waiting environment needs no kernel
// stack. If it is destroyed during the wait, it is only removed from its queue.

#include <inc/assert.h>
#include <inc/error.h>

#include <kern/dev/console.h>
#include <kern/env.h>
#include <kern/probe.h>
#include <kern/spinlock.h>
#include <kern/wait.h>

HOT void
wait_in(struct EnvQueue *queue)
{
	struct Env *e = curenv;

	assert(kernel_locked());
	probe(PROBE_BLOCK, (uintptr_t)queue);
	e->env_queue = queue;
	e->env_link = NULL;
	e->env_prev = queue->tail;
	if (queue->tail)
		queue->tail->env_link = e;
	else
		queue->head = e;
	queue->tail = e;
	env_set_status(e, ENV_NOT_RUNNABLE);
}

HOT void
wait_leave(struct Env *e)
{
	struct EnvQueue *queue = e->env_queue;
	struct Env *prev = e->env_prev, *next = e->env_link;

	assert(kernel_locked());
	if (!queue)
		return;
	if (prev)
		prev->env_link = next;
	else
		queue->head = next;
	if (next)
		next->env_prev = prev;
	else
		queue->tail = prev;
	e->env_queue = NULL;
	e->env_link = e->env_prev = NULL;
}

HOT void
wait_end(struct Env *e, int32_t result)
{
	assert(e->env_status == ENV_NOT_RUNNABLE && !e->env_oncpu);
	if (e->env_queue)
		wait_leave(e);
	e->env_tf.tf_regs.reg_eax = result;
	if (!e->env_stopped)
		env_set_status(e, ENV_RUNNABLE);
}

void
wait_cancel(struct Env *e)
{
	e->env_ipc_recving = false;
	wait_end(e, -E_UNSPECIFIED);
}

// ---- Waiting for the console ----

#define MAX_WAKES 32 // Maximum number of environments that one call of cons_wake_readers wakes

HOT_DATA struct EnvQueue cons_readers;

void
cons_wait(void)
{
	wait_in(&cons_readers);
}

bool
cons_wake_readers(void)
{
	int c, woken = 0;

	assert(kernel_locked());
	for (; woken < MAX_WAKES && cons_readers.head && (c = cons_getc()) != 0; woken++)
		wait_end(cons_readers.head, c);
	return woken > 0;
}
