// Checks its I/O privilege level, then writes to a port of the disk, which is not allowed.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	if (read_eflags() & FL_IOPL_MASK)
		cprintf("this program may use ports\n");
	cprintf("writing to the disk\n");
	outb(0x1F6, 0xE0 | 1 << 4);
	cprintf("it was written\n");
}
