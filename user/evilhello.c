// Asks the kernel to print the kernel's own memory. The kernel must destroy the environment.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	sys_cputs((const char *)0xF010000C, 100);
}
