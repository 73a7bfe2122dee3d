// Measures a system call that does nothing: with int, which every CPU has, and in the way that the
// library chooses (sysenter if possible).

#include "bench.h"

static void
call_by_int(uint32_t done)
{
	uint32_t number = SYS_getenvid;

	__asm__ volatile("int %1" : "+a"(number) : "i"(T_SYSCALL) : "memory");
}

static void
call(uint32_t done)
{
	sys_getenvid();
}

void
umain(int argc, char **argv)
{
	uint32_t count = bench_begin(argc, argv);

	bench("null_int", count, call_by_int);
	bench("null", count, call);
	bench_end();
}
