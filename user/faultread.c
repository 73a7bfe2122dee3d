// Reads where nothing is mapped. The kernel must end it.

#include <inc/lib.h>

// Volatile, so that the compiler does not see that it is no address to read from.
static const unsigned *volatile nowhere = NULL;

void
umain(int argc, char **argv)
{
	cprintf("I read %08x from location 0!\n", *nowhere);
}
