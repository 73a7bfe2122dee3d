// Divides by zero. The kernel must destroy the environment.

#include <inc/lib.h>

// volatile hides the division by zero from the compiler. Otherwise, the compiler may remove the
// division.
static volatile int one = 1, zero;

void
umain(int argc, char **argv)
{
	cprintf("1/0 is %08x!\n", one / zero);
}
