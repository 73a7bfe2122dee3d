// The page-fault handler faults again and again, until the exception stack overflows. In the last
// fault, the stack pointer is below the exception stack, because the handler has a large local
// variable. The kernel must destroy the environment, and not start at the top of the exception
// stack again.

#include <inc/lib.h>

static void
handler(struct UTrapframe *utf)
{
	volatile char large[600];

	large[0] = large[sizeof(large) - 1] = 0;
	*(volatile char *)utf->utf_fault_va = large[0];
}

void
umain(int argc, char **argv)
{
	set_pgfault_handler(handler);
	*(volatile char *)0xDEADBEEF = 0;
}
