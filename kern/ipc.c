// Messages: a word, and perhaps a page, from one environment to another that waits
// for it. A sender may try, or sleep until the receiver is ready: then it stands in
// the receiver's queue, and is served in its turn. Any environment may send to any.
//
// A page is looked up when it is handed over: what a sleeping sender meant to send
// may be gone by then, and then it is told so.

#include <inc/assert.h>
#include <inc/error.h>

#include <kern/env.h>
#include <kern/ipc.h>
#include <kern/pagetable.h>
#include <kern/pmap.h>
#include <kern/probe.h>
#include <kern/spinlock.h>
#include <kern/syscall.h>
#include <kern/trap.h>
#include <kern/wait.h>

// Messages that a receiver refuses without letting others in between
#define REFUSED_MOST 64

// Return the page at srcva that `from` wants to send with permissions perm, or NULL if it may not
// send the page so.
static __attribute__((noinline)) struct PageInfo *
page_to_send(struct Env *from, void *srcva, int perm)
{
	pte_t *pte;

	if (!user_va_ok(srcva) || !user_perm_ok(perm))
		return NULL;
	struct PageInfo *pp = page_lookup(from->env_pgdir, srcva, &pte);
	return pp && !(perm & PTE_W & ~*pte) ? pp : NULL;
}

// Map the page of a message for its receiver, if that wants one. Returns 0 or an error.
static __attribute__((noinline)) int
deliver_page(struct Env *from, struct Env *to, void *srcva, int perm)
{
	struct PageInfo *pp = page_to_send(from, srcva, perm);

	if (!pp)
		return -E_INVAL;
	if ((uintptr_t)to->env_ipc_dstva >= UTOP) {
		to->env_ipc_perm = 0;
		return 0;
	}
	int r = page_insert(to->env_pgdir, pp, to->env_ipc_dstva, perm);
	if (r == 0)
		to->env_ipc_perm = perm;
	return r;
}

// Deliver a message to an environment that is receiving. Returns 0; or an error, and then nothing
// has changed.
static inline int
deliver(struct Env *from, struct Env *to, uint32_t value, void *srcva, int perm)
{
	if ((uintptr_t)srcva < UTOP) {
		int r = deliver_page(from, to, srcva, perm);
		if (r < 0)
			return r;
	} else {
		to->env_ipc_perm = 0;
	}
	to->env_ipc_recving = false;
	to->env_ipc_from = from->env_id;
	to->env_ipc_value = value;
	probe(PROBE_MESSAGE, to->env_id);
	return 0;
}

// Send now, if `to` is receiving. 0; -E_IPC_NOT_RECV if it is not, whatever the message is; or
// deliver's error.
static inline int
try_send(struct Env *from, struct Env *to, uint32_t value, void *srcva, int perm)
{
	if (!to->env_ipc_recving)
		return -E_IPC_NOT_RECV;
	return deliver(from, to, value, srcva, perm);
}

// Anybody may be sent to, by `from`. NULL: there is none of that id.
static inline struct Env *
receiver(struct Env *from, envid_t id)
{
	struct Env *e = id == 0 ? from : &envs[ENVX(id)];

	if (e->env_status == ENV_FREE || e->env_status == ENV_DYING || (id && e->env_id != id))
		return NULL;
	return e;
}

// Exercise 15.
int
sys_ipc_try_send(envid_t to_id, uint32_t value, void *srcva, int perm)
{
	struct Env *from = curenv, *to = receiver(from, to_id);

	if (!to)
		return -E_BAD_ENV;
	int r = try_send(from, to, value, srcva, perm);
	if (r == 0)
		wait_end(to, 0);
	return r;
}

// Send, or wait in the queue of the receiver until it takes the message, which is what a *to of
// NULL means: 0. With call, one that had to wait goes on to receive.
static inline int
send_or_wait(struct Env *from, envid_t to_id, uint32_t value, void *srcva, int perm, bool call,
    struct Env **to)
{
	if (!(*to = receiver(from, to_id)))
		return -E_BAD_ENV;
	int r = try_send(from, *to, value, srcva, perm);
	if (r != -E_IPC_NOT_RECV)
		return r;
	// A message that cannot be sent is refused before the wait, not only after it. And an
	// environment that waits for itself would never run again.
	if (*to == from || ((uintptr_t)srcva < UTOP && !page_to_send(from, srcva, perm)))
		return -E_INVAL;
	from->env_ipc_send_value = value;
	from->env_ipc_send_srcva = srcva;
	from->env_ipc_send_perm = perm;
	from->env_ipc_send_call = call;
	wait_in(&(*to)->env_ipc_senders);
	*to = NULL;
	return 0;
}

HOT int
sys_ipc_send(envid_t to_id, uint32_t value, void *srcva, int perm)
{
	struct Env *to;
	int r = send_or_wait(curenv, to_id, value, srcva, perm, false, &to);

	if (r == 0 && to)
		wait_end(to, 0);
	return r;
}

// Have an environment, whose registers are in tf, make its call again as sys_ipc_recv(dstva).
// Returns what must be in its eax.
static int
receive_next(struct Trapframe *tf, void *dstva)
{
	tf->tf_regs.reg_edx = (uint32_t)dstva;
	trap_rewind(tf);
	return SYS_ipc_recv;
}

// The message that from waited to send has been taken. If from is in sys_ipc_call, it receives
// next. If there is a queue of senders, it does so by a call of its own: each of them may be in
// sys_ipc_call, too, and have a queue, and so on.
static void
end_send(struct Env *from)
{
	if (!from->env_ipc_send_call) {
		wait_end(from, 0);
	} else if (from->env_ipc_senders.head) {
		wait_end(from, receive_next(&from->env_tf, from->env_ipc_dstva));
	} else {
		wait_leave(from);
		from->env_ipc_recving = true;
	}
}

// Let curenv, for whom others wait, receive from the first of them whose message can be delivered;
// the others before it get an error. Returns 0; or, if there are many, what must be in its eax to
// go on with them after an interrupt. (Not in line, so that the HOT code stays on its page.)
static __attribute__((noinline)) int
receive_from_queue(struct Env *to, void *dstva)
{
	struct Env *from;

	for (int tried = 0; (from = to->env_ipc_senders.head); tried++) {
		if (tried == REFUSED_MOST)
			return receive_next(env_frame(to), dstva);
		int r = deliver(from, to, from->env_ipc_send_value, from->env_ipc_send_srcva,
		    from->env_ipc_send_perm);
		if (r == -E_NO_MEM && envs_dying) {
			// Memory will be free: try again in the next turn.
			env_set_status(to, ENV_RUNNABLE);
			return receive_next(env_frame(to), dstva);
		}
		if (r == 0) {
			end_send(from);
			return 0;
		}
		wait_end(from, r);
	}
	to->env_ipc_recving = true;
	env_set_status(to, ENV_NOT_RUNNABLE);
	return 0;
}

// Let curenv receive, whether or not others wait for it. What its call returns, or, if it is to
// be made again, what must be in its eax.
static inline int
receive(struct Env *to, void *dstva)
{
	to->env_ipc_dstva = dstva;
	if (to->env_ipc_senders.head)
		return receive_from_queue(to, dstva);
	to->env_ipc_recving = true;
	env_set_status(to, ENV_NOT_RUNNABLE);
	return 0;
}

static inline bool
dstva_ok(void *dstva)
{
	return (uintptr_t)dstva >= UTOP || user_va_ok(dstva);
}

// Exercise 15.
HOT int
sys_ipc_recv(void *dstva)
{
	if (!dstva_ok(dstva))
		return -E_INVAL;
	return receive(curenv, dstva);
}

// If the caller has to wait for a message, the receiver of the caller's own message runs at once in
// its place, for the rest of the caller's turn: no environment has to be chosen, and no CPU
// to be woken. This keeps the scheduler's rule, because the turn ends when it would have ended:
// after a tick that came in the kernel, the receiver waits for a turn of its own.
int
sys_ipc_call(envid_t to_id, uint32_t value, void *srcva, int perm, void *dstva)
{
	struct Env *to, *from = curenv;
	int r;

	if (!dstva_ok(dstva))
		return -E_INVAL;
	if ((r = send_or_wait(from, to_id, value, srcva, perm, true, &to)) < 0)
		return r;
	if (!to) {
		from->env_ipc_dstva = dstva;
		return 0;
	}
	r = receive(from, dstva);
	if (from->env_ipc_recving && !to->env_stopped && !thiscpu->cpu_ticked) {
		to->env_tf.tf_regs.reg_eax = 0;
		env_run(to);
	}
	wait_end(to, 0);
	return r;
}
