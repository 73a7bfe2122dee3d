// Executes `int $14`: 14 is the vector of page faults. User programs may not raise this vector, so
// the CPU raises a general protection fault instead. The kernel must destroy the environment.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	__asm__ volatile("int %0" : : "i"(T_PGFLT));
}
