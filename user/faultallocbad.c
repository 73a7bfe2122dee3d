// Has the page-fault handler of faultalloc, but lets the kernel read the string. The kernel does
// not fault on behalf of a program, but ends it.

#include "faultin.h"

void
umain(int argc, char **argv)
{
	set_pgfault_handler(fault_in);
	sys_cputs((const char *)0xDEADBEEF, 4);
}
