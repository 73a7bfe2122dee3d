// Tries to have the kernel print what is not there. The kernel must end it.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	sys_cputs((const char *)1, 1);
}
