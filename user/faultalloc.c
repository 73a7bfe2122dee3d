// Prints strings that its page-fault handler writes when they are first read. The second string
// crosses the end of a page, so the handler itself causes a page fault while it writes the string.

#include "faultin.h"

void
umain(int argc, char **argv)
{
	static const uintptr_t strings[] = { 0xDEADBEEF, 0xCAFEBFFE };

	set_pgfault_handler(fault_in);
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		cprintf("%s\n", (const char *)strings[i]);
}
