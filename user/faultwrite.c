// Writes where nothing is mapped. The kernel must end it.

#include <inc/lib.h>

// Volatile, so that the compiler does not see that it is no address to write to.
static unsigned *volatile nowhere = NULL;

void
umain(int argc, char **argv)
{
	*nowhere = 0;
}
