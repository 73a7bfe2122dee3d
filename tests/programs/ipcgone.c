// Sends to an environment that has ended, as a program that does not look at results.

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
