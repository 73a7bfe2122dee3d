// Loads a task's descriptor as a data segment: a general protection fault. The
// kernel must end it.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	__asm__ volatile("movw %w0, %%ds" : : "r"(GD_TSS0));
}
