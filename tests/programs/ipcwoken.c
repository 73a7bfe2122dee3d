// A parent makes its child runnable while the child waits to send. ipc_send sends the message
// nevertheless; ipc_send_checked returns an error.

#include <inc/lib.h>

static void
send(envid_t parent, bool checked)
{
	if (checked)
		cprintf("checked: %e\n", ipc_send_checked(parent, 1, NULL, 0));
	ipc_send(parent, 2, NULL, 0);
	cprintf("sent\n");
}

static void
wake(envid_t child)
{
	while (envs[ENVX(child)].env_status != ENV_NOT_RUNNABLE)
		sys_yield();
	sys_env_set_status(child, ENV_RUNNABLE);
}

void
umain(int argc, char **argv)
{
	envid_t parent = sys_getenvid();

	for (int checked = 0; checked < 2; checked++) {
		envid_t child = fork();
		if (child == 0) {
			send(parent, checked);
			return;
		}
		for (int i = 0; i < 3; i++)
			wake(child);
		cprintf("received %d\n", ipc_recv(NULL, NULL, NULL));
		const volatile struct Env *e = &envs[ENVX(child)];
		while (e->env_id == child && e->env_status != ENV_FREE)
			sys_yield();
	}
}
