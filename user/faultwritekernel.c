// Writes to the kernel's memory. The kernel must destroy the environment.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	*(volatile unsigned *)0xF0100000 = 0;
}
