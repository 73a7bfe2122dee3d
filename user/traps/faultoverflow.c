// Its handler faults too, and so on, until the exception stack is full, and more than
// full: there the stack pointer is below it, by what the handler has on the stack. The
// kernel must end it, and not take that for another stack.

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
