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
#include <kern/pmap.h>
#include <kern/spinlock.h>
#include <kern/syscall.h>
#include <kern/wait.h>

// The page that `from` wants to send, in *pp, NULL if it sends none. -E_INVAL if it
// may not send it so.
static int
page_to_send(struct Env *from, void *srcva, int perm, struct PageInfo **pp)
{
	pte_t *pte;

	*pp = NULL;
	if ((uintptr_t)srcva >= UTOP)
		return 0;
	if (!user_va_ok(srcva) || !user_perm_ok(perm))
		return -E_INVAL;
	*pp = page_lookup(from->env_pgdir, srcva, &pte);
	if (!*pp || ((perm & PTE_W) && !(*pte & PTE_W)))
		return -E_INVAL;
	return 0;
}

// Hand over a message to an environment that is receiving. 0; or an error, and then
// it is as it was.
static int
deliver(struct Env *from, struct Env *to, uint32_t value, void *srcva, int perm)
{
	struct PageInfo *pp;
	int r = page_to_send(from, srcva, perm, &pp);

	if (r < 0)
		return r;
	bool wanted = pp && (uintptr_t)to->env_ipc_dstva < UTOP;
	if (wanted && (r = page_insert(to->env_pgdir, pp, to->env_ipc_dstva, perm)) < 0)
		return r;
	to->env_ipc_perm = wanted ? perm : 0;
	to->env_ipc_recving = false;
	to->env_ipc_from = from->env_id;
	to->env_ipc_value = value;
	return 0;
}

// Check what curenv wants to send, and find out to whom.
static int
check_send(envid_t to_id, void *srcva, int perm, struct Env **to)
{
	struct PageInfo *pp;
	int r = envid2env(to_id, to, false);

	return r < 0 ? r : page_to_send(curenv, srcva, perm, &pp);
}

// Send now, to one that is waiting for it.
static int
send(struct Env *to, uint32_t value, void *srcva, int perm)
{
	int r = deliver(curenv, to, value, srcva, perm);

	if (r == 0)
		wait_end(to, 0);
	return r;
}

int
sys_ipc_try_send(envid_t to_id, uint32_t value, void *srcva, int perm)
{
	struct Env *to;
	int r = check_send(to_id, srcva, perm, &to);

	if (r < 0)
		return r;
	if (!to->env_ipc_recving)
		return -E_IPC_NOT_RECV;
	return send(to, value, srcva, perm);
}

int
sys_ipc_send(envid_t to_id, uint32_t value, void *srcva, int perm)
{
	struct Env *to;
	int r = check_send(to_id, srcva, perm, &to);

	if (r < 0)
		return r;
	if (to == curenv) // It would wait for ever.
		return -E_INVAL;
	if (to->env_ipc_recving)
		return send(to, value, srcva, perm);
	curenv->env_ipc_send_value = value;
	curenv->env_ipc_send_srcva = srcva;
	curenv->env_ipc_send_perm = perm;
	wait_in(&to->env_ipc_senders);
	return 0;
}

int
sys_ipc_recv(void *dstva)
{
	struct Env *from;

	if ((uintptr_t)dstva < UTOP && !user_va_ok(dstva))
		return -E_INVAL;
	curenv->env_ipc_dstva = dstva;
	while ((from = curenv->env_ipc_senders.head)) {
		int r = deliver(from, curenv, from->env_ipc_send_value, from->env_ipc_send_srcva,
		    from->env_ipc_send_perm);
		wait_end(from, r);
		if (r == 0)
			return 0;
	}
	curenv->env_ipc_recving = true;
	env_set_status(curenv, ENV_NOT_RUNNABLE);
	return 0;
}

void
ipc_abandon(struct Env *e)
{
	struct Env *from;

	assert(kernel_locked());
	e->env_ipc_recving = false;
	wait_leave(e);
	while ((from = e->env_ipc_senders.head))
		wait_end(from, -E_BAD_ENV);
}
