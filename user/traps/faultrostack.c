// Has an exception stack that it may only read. The kernel must end it, and not write
// there on its behalf.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	sys_page_alloc(0, (void *)(UXSTACKTOP - PGSIZE), PTE_P | PTE_U);
	sys_env_set_pgfault_upcall(0, _pgfault_upcall);
	*(volatile int *)0xDEADBEEF = 0;
}
