// Divides by zero. The kernel must destroy the environment.

#include <inc/lib.h>

// volatile: otherwise the compiler sees the division by zero, and may remove it.
static volatile int one = 1, zero;

void
umain(int argc, char **argv)
{
	cprintf("1/0 is %08x!\n", one / zero);
}
