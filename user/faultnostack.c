// Names an upcall, but has no exception stack for it. The kernel must end it.

#include <inc/lib.h>

// Volatile, so that the compiler does not see that it is no address to write to.
static unsigned *volatile nowhere = NULL;

void
umain(int argc, char **argv)
{
	sys_env_set_pgfault_upcall(0, _pgfault_upcall);
	*nowhere = 0;
}
