// Sets an upcall, but has no exception stack for it. The kernel must destroy the environment.

#include <inc/lib.h>

// volatile hides from the compiler that the address is invalid. Otherwise, the compiler removes the
// write.
static unsigned *volatile nowhere = NULL;

void
umain(int argc, char **argv)
{
	sys_env_set_pgfault_upcall(0, _pgfault_upcall);
	*nowhere = 0;
}
