// Like pingpong, but parent and child share their memory (sfork), and the number is a variable that
// both use. thisenv is not shared: each environment has its own thisenv.

#include <inc/lib.h>

#define LAST 10

static volatile uint32_t count;

void
umain(int argc, char **argv)
{
	envid_t other = sfork();
	uint32_t turn; // A copy of count on the stack, which is not shared

	if (other < 0)
		panic("sfork: %e", other);
	if (other > 0) {
		cprintf("i am %08x; thisenv is %p\n", sys_getenvid(), thisenv);
		cprintf("send 0 from %x to %x\n", sys_getenvid(), other);
		ipc_send(other, 0, NULL, 0);
	}
	do {
		ipc_recv(&other, NULL, NULL);
		cprintf("%x got %d from %x (thisenv is %p %x)\n", sys_getenvid(), count, other,
		    thisenv, thisenv->env_id);
		assert(thisenv == &envs[ENVX(sys_getenvid())]);
		turn = count;
		if (turn < LAST) {
			count = turn + 1;
			ipc_send(other, 0, NULL, 0);
		}
	} while (turn + 1 < LAST);
}
