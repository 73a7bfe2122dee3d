// Stops at a breakpoint: the kernel enters its monitor.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	breakpoint();
}
