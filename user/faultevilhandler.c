// Has an exception stack, and an upcall at a kernel address. The kernel must destroy the
// environment.

#include <inc/lib.h>

// volatile hides from the compiler that the address is invalid. Otherwise, the compiler removes the
// write.
static unsigned *volatile nowhere = NULL;

void
umain(int argc, char **argv)
{
	sys_page_alloc(0, (void *)(UXSTACKTOP - PGSIZE), PTE_P | PTE_U | PTE_W);
	sys_env_set_pgfault_upcall(0, (void *)0xF0100020);
	*nowhere = 0;
}
