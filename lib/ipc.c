// Messages between environments.

#include <inc/lib.h>

// An address at or above UTOP tells the system calls that no page is sent or received.
#define NO_PAGE ((void *)UTOP)

int
ipc_send_checked(envid_t to_env, uint32_t val, void *pg, int perm)
{
	void *srcva = pg ? pg : NO_PAGE;

#ifdef CHALLENGES
	return sys_ipc_send(to_env, val, srcva, perm); // Waits in the kernel
#else
	int r;

	while ((r = sys_ipc_try_send(to_env, val, srcva, perm)) == -E_IPC_NOT_RECV)
		sys_yield();
	return r;
#endif
}

// inc/lib.h describes ipc_send. A parent may make a child runnable at any time, which ends the
// child's wait with -E_UNSPECIFIED. The lab's programs do not expect this error, so ipc_send sends
// again. Exercise 15.
void
ipc_send(envid_t to_env, uint32_t val, void *pg, int perm)
{
	int r;

	do {
		r = ipc_send_checked(to_env, val, pg, perm);
	} while (r == -E_UNSPECIFIED);
	if (r < 0)
		panic("ipc_send: %e", r);
}

// The second half of ipc_recv and ipc_call. r is the result of the system call. Stores the sender's
// id and the permissions, and returns the value or the error. If r is 0, the kernel has put the
// message into this environment's struct Env.
static int32_t
finish_recv(int r, envid_t *from_env_store, int *perm_store)
{
	if (from_env_store)
		*from_env_store = r < 0 ? 0 : thisenv->env_ipc_from;
	if (perm_store)
		*perm_store = r < 0 ? 0 : thisenv->env_ipc_perm;
	return r < 0 ? r : (int32_t)thisenv->env_ipc_value;
}

// inc/lib.h describes ipc_recv. Exercise 15.
int32_t
ipc_recv(envid_t *from_env_store, void *pg, int *perm_store)
{
	return finish_recv(sys_ipc_recv(pg ? pg : NO_PAGE), from_env_store, perm_store);
}

int32_t
ipc_call(envid_t to_env, uint32_t val, void *pg, int perm, envid_t *from_env_store, void *dstpg,
    int *perm_store)
{
#ifdef CHALLENGES
	int r = sys_ipc_call(to_env, val, pg ? pg : NO_PAGE, perm, dstpg ? dstpg : NO_PAGE);
#else
	int r = ipc_send_checked(to_env, val, pg, perm);

	if (r == 0)
		r = sys_ipc_recv(dstpg ? dstpg : NO_PAGE);
#endif
	return finish_recv(r, from_env_store, perm_store);
}

envid_t
ipc_find_env(enum EnvType type)
{
	for (int i = 0; i < NENV; i++) {
		if (envs[i].env_type == type && envs[i].env_status != ENV_FREE &&
		    envs[i].env_status != ENV_DYING)
			return envs[i].env_id;
	}
	return 0;
}
