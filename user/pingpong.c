// Parent and child send a number to each other; each adds 1 before it sends the number back.

#include <inc/lib.h>

#define LAST 10

void
umain(int argc, char **argv)
{
	envid_t other = fork();
	int32_t n;

	if (other < 0)
		panic("fork: %e", other);
	if (other > 0) {
		cprintf("send 0 from %x to %x\n", sys_getenvid(), other);
		ipc_send(other, 0, NULL, 0);
	}
	do {
		n = ipc_recv(&other, NULL, NULL);
		cprintf("%x got %d from %x\n", sys_getenvid(), n, other);
		if (n < LAST)
			ipc_send(other, ++n, NULL, 0);
	} while (n < LAST);
}
