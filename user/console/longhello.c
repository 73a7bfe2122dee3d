// Hands the kernel a string that begins in its memory and goes on behind it.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	sys_cputs((const char *)USTACKTOP - 16, 3 * PGSIZE);
}
