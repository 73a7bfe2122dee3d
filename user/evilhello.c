// Tries to have the kernel print the kernel's memory. The kernel must end it.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	sys_cputs((const char *)0xF010000C, 100);
}
