// Divides by zero. The kernel must end it.

#include <inc/lib.h>

// Volatile, both of them, so that the compiler does not see it coming.
static volatile int one = 1, zero;

void
umain(int argc, char **argv)
{
	cprintf("1/0 is %08x!\n", one / zero);
}
