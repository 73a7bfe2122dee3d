// Reads an I/O port of the keyboard controller. Programs may not use I/O ports: the kernel must
// destroy the environment.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	cprintf("I read %02x from port 64!\n", inb(0x64));
}
