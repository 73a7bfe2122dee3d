// Has the same page-fault handler as faultalloc, but makes the kernel read the string. The kernel
// does not call a program's handler for its own reads: it must destroy the environment.

#include "faultin.h"

void
umain(int argc, char **argv)
{
	set_pgfault_handler(fault_in);
	sys_cputs((const char *)0xDEADBEEF, 4);
}
