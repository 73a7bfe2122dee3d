// Sends to an environment that has ended. ipc_send_checked returns the error; ipc_send panics.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	envid_t child = fork();

	if (child == 0)
		return;
	while (envs[ENVX(child)].env_status != ENV_FREE)
		sys_yield();
	cprintf("checked: %e\n", ipc_send_checked(child, 1, NULL, 0));
	ipc_send(child, 1, NULL, 0);
	cprintf("not reached\n");
}
