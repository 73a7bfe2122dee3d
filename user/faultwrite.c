// Writes to an address where nothing is mapped. The kernel must destroy the environment.

#include <inc/lib.h>

// volatile hides from the compiler that the address is invalid. Otherwise, the compiler removes the
// write.
static unsigned *volatile nowhere = NULL;

void
umain(int argc, char **argv)
{
	*nowhere = 0;
}
