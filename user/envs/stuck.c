// At the end, all environments wait: the parent is stopped, a child waits for a message, and other
// children wait in the parent's queue. The kernel's audit then checks these waits.

#include <user/common/testing.h>

#define SENDERS 6

static envid_t
start_sender(void)
{
	envid_t child = must_fork();

	if (child == 0) {
		ipc_send(thisenv->env_parent_id, 0, NULL, 0);
		ipc_recv(NULL, NULL, NULL);
	}
	wait_until_asleep(child);
	return child;
}

void
umain(int argc, char **argv)
{
	envid_t senders[SENDERS];

	for (int i = 0; i < SENDERS; i++)
		senders[i] = start_sender();
	must(ipc_recv(NULL, NULL, NULL), "ipc_recv"); // From the first sender
	// Remove a sender from the middle of the queue, and the last sender.
	must(sys_env_destroy(senders[2]), "sys_env_destroy");
	must(sys_env_destroy(senders[SENDERS - 1]), "sys_env_destroy");
	must(sys_env_set_status(0, ENV_NOT_RUNNABLE), "sys_env_set_status");
}
