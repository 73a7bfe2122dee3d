// Has a read-only exception stack. The kernel must destroy the environment, and must not write to
// that page.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	sys_page_alloc(0, (void *)(UXSTACKTOP - PGSIZE), PTE_P | PTE_U);
	sys_env_set_pgfault_upcall(0, _pgfault_upcall);
	*(volatile int *)0xDEADBEEF = 0;
}
