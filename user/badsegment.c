// Loads the selector of a task state segment into a data segment register: a general protection
// fault. The kernel must destroy the environment.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	__asm__ volatile("movw %w0, %%ds" : : "r"(GD_TSS0));
}
