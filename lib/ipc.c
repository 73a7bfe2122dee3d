// Messages, with the waiting done by the kernel.

#include <inc/lib.h>

// What the calls take for "no page".
#define NO_PAGE ((void *)UTOP)

int
ipc_send(envid_t to_env, uint32_t val, void *pg, int perm)
{
	int r = sys_ipc_send(to_env, val, pg ? pg : NO_PAGE, perm);

	if (r == -E_INVAL)
		panic("ipc_send: %e", r);
	return r;
}

int32_t
ipc_recv(envid_t *from_env_store, void *pg, int *perm_store)
{
	int r = sys_ipc_recv(pg ? pg : NO_PAGE);

	if (from_env_store)
		*from_env_store = r < 0 ? 0 : thisenv->env_ipc_from;
	if (perm_store)
		*perm_store = r < 0 ? 0 : thisenv->env_ipc_perm;
	return r < 0 ? r : (int32_t)thisenv->env_ipc_value;
}

envid_t
ipc_find_env(enum EnvType type)
{
	for (int i = 0; i < NENV; i++) {
		if (envs[i].env_type == type && envs[i].env_status != ENV_FREE)
			return envs[i].env_id;
	}
	return 0;
}
