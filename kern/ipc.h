#ifndef JOS_KERN_IPC_H
#define JOS_KERN_IPC_H

#include <inc/env.h>
#include <inc/error.h>

#include <kern/challenge/challenge.h>
#include <kern/env.h>
#include <kern/probe.h>
#include <kern/pmap.h>

// Functions for sending and receiving messages (ipc.c). challenge/ipcsend.c also uses them. Callers
// hold the big lock.

// Return the environment with this id, or NULL if there is none. Id 0 means `from` itself. Rights
// are not checked, because any environment may send to any other environment.
static inline struct Env *
ipc_receiver(struct Env *from, envid_t id)
{
	struct Env *e = id == 0 ? from : &envs[ENVX(id)];

	if (e->env_status == ENV_FREE || e->env_status == ENV_DYING || (id && e->env_id != id))
		return NULL;
	return e;
}

// Return the page that `from` has mapped at srcva, or NULL if `from` must not send it with perm.
struct PageInfo *ipc_page_to_send(struct Env *from, void *srcva, int perm);

// Deliver a message to `to`, which is receiving. On success, returns 0, and the caller must end the
// wait of `to`. On failure, returns -E_INVAL or -E_NO_MEM, and `to` continues to wait.
int ipc_deliver(struct Env *from, struct Env *to, uint32_t value, void *srcva, int perm);

// Return whether a receiver may pass dstva. dstva may be an address at which programs may map a
// page. dstva may also be UTOP or above, which means that the receiver wants no page.
static inline bool
ipc_dstva_ok(const void *dstva)
{
	return (uintptr_t)dstva >= UTOP || user_va_ok(dstva);
}

// Make an environment wait for a message.
static inline void
ipc_wait_for_message(struct Env *to)
{
	probe(PROBE_BLOCK, 0);
	to->env_ipc_recving = true;
	env_set_status(to, ENV_NOT_RUNNABLE);
}

// Receive a message for `to`, which is curenv. Returns the result of the receiver's system call.
static inline int
ipc_receive(struct Env *to, void *dstva)
{
	to->env_ipc_dstva = dstva;
	if (ipc_senders_wait(to))
		return ipc_receive_waiting(to, dstva);
	ipc_wait_for_message(to);
	return 0;
}

// The system calls.
int sys_ipc_try_send(envid_t to, uint32_t value, void *srcva, int perm);
int sys_ipc_recv(void *dstva);

#endif // JOS_KERN_IPC_H
