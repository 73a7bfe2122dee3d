// Reads at an address where nothing is mapped. The kernel must destroy the environment.

#include <inc/lib.h>

// volatile hides from the compiler that the address is invalid. Otherwise, the compiler removes the
// read.
static const unsigned *volatile nowhere = NULL;

void
umain(int argc, char **argv)
{
	cprintf("I read %08x from location 0!\n", *nowhere);
}
