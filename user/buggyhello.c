// Asks the kernel to print a string at an unmapped address. The kernel must destroy the
// environment.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	sys_cputs((const char *)1, 1);
}
