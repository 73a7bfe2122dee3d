// Pretends to be a page fault. User programs may not raise vector 14, so what the
// kernel must see, and end it for, is a general protection fault.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	__asm__ volatile("int %0" : : "i"(T_PGFLT));
}
