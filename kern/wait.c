// Waiting without a CPU. An environment that must wait in a system call is put aside
// like any other that is not runnable; its registers are in env_tf, and what its
// call returns is written there when the wait is over. So the kernel needs no stack
// for each of them, and a call that waits has nothing to clean up when its
// environment is destroyed meanwhile, but its place in a queue.

#include <inc/assert.h>
#include <inc/error.h>

#include <kern/env.h>
#include <kern/spinlock.h>
#include <kern/wait.h>

HOT void
wait_in(struct EnvQueue *queue)
{
	struct Env *e = curenv;

	assert(kernel_locked());
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
wait_break_off(struct Env *e)
{
	e->env_ipc_recving = false;
	wait_end(e, -E_UNSPECIFIED);
}
