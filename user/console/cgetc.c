// Waits for a key without a CPU: sys_cgetc_wait returns when there is one, and until then this
// environment is not run once.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	uint32_t before;
	int c;

	cprintf("[%08x] waiting for a key\n", sys_getenvid());
	before = thisenv->env_runs;
	c = sys_cgetc_wait();
	cprintf("[%08x] got '%c', env_runs went from %u to %u\n", sys_getenvid(), c, before,
	    thisenv->env_runs);
}
