// Has an exception stack, and an upcall in the kernel. The kernel must end it.

#include <inc/lib.h>

// Volatile, so that the compiler does not see that it is no address to write to.
static unsigned *volatile nowhere = NULL;

void
umain(int argc, char **argv)
{
	sys_page_alloc(0, (void *)(UXSTACKTOP - PGSIZE), PTE_P | PTE_U | PTE_W);
	sys_env_set_pgfault_upcall(0, (void *)0xF0100020);
	*nowhere = 0;
}
