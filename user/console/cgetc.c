// Sleeps until a key is pressed: sys_cgetc_wait returns the key, and this environment does not run
// while it waits.

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
