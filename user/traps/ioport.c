// Reads an I/O port, the keyboard controller's. Users may use none: the kernel must
// end it.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	cprintf("I read %02x from port 64!\n", inb(0x64));
}
