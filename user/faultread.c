// Reads at an address where nothing is mapped. The kernel must destroy the environment.

#include <inc/lib.h>

// volatile: otherwise the compiler sees that the address is invalid, and removes the read.
static const unsigned *volatile nowhere = NULL;

void
umain(int argc, char **argv)
{
	cprintf("I read %08x from location 0!\n", *nowhere);
}
