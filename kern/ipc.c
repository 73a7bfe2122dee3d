// Messages. An environment can send a word, and optionally a page, to another environment. The
// receiver waits in sys_ipc_recv until a message is delivered. The sender calls sys_ipc_try_send,
// which fails if the receiver is not waiting. (In challenge/ipcsend.c, the sender can wait, too.)

#include <inc/assert.h>
#include <inc/error.h>

#include <kern/env.h>
#include <kern/ipc.h>
#include <kern/pagetable.h>
#include <kern/probe.h>
#include <kern/wait.h>

// ---- Sending ----

struct PageInfo *
ipc_page_to_send(struct Env *from, void *srcva, int perm)
{
	pte_t *pte;

	if (!user_va_ok(srcva) || !user_perm_ok(perm))
		return NULL;
	struct PageInfo *pp = page_lookup(from->env_pgdir, srcva, &pte);
	return pp && (!(perm & PTE_W) || (*pte & PTE_W)) ? pp : NULL;
}

// If the receiver `to` wants a page, map the message's page in `to`. Returns 0 or an error. Not
// inlined, so that ipc_deliver saves fewer registers for a message without a page.
static __attribute__((noinline)) int
deliver_page(struct Env *from, struct Env *to, void *srcva, int perm)
{
	struct PageInfo *pp = ipc_page_to_send(from, srcva, perm);

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

HOT int
ipc_deliver(struct Env *from, struct Env *to, uint32_t value, void *srcva, int perm)
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

// Exercise 15.
int
sys_ipc_try_send(envid_t to_id, uint32_t value, void *srcva, int perm)
{
	struct Env *from = curenv, *to = ipc_receiver(from, to_id);

	if (!to)
		return -E_BAD_ENV;
	if (!to->env_ipc_recving)
		return -E_IPC_NOT_RECV;
	int r = ipc_deliver(from, to, value, srcva, perm);
	if (r == 0)
		wait_end(to, 0); // The receiver's sys_ipc_recv returns 0.
	return r;
}

// ---- Receiving ----

// Exercise 15.
HOT int
sys_ipc_recv(void *dstva)
{
	if (!ipc_dstva_ok(dstva))
		return -E_INVAL;
	return ipc_receive(curenv, dstva);
}
