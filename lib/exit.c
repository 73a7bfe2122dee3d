// The function that ends a program.

#include <inc/lib.h>

// Destroy this environment.
void
exit(void)
{
	for (;;)
		sys_env_destroy(0);
}
