// Prints a string that starts on the stack, and ends in unmapped memory above it. The kernel must
// destroy the environment.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	sys_cputs((const char *)USTACKTOP - 16, 3 * PGSIZE);
}
