// Measures two challenges of the lab: a yield to another environment and back, while both use the
// x87; and an exception whose handler continues behind the instruction.

#include "bench.h"

static void
compute_and_yield(void)
{
	__asm__ volatile("fld1; fstp %%st(0)" : : : "st");
	sys_yield();
}

static void
switch_fpu(uint32_t done)
{
	compute_and_yield();
}

static void
skip_ud2(struct UTrapframe *utf)
{
	utf->utf_eip += 2;
}

static void
illegal(uint32_t done)
{
	__asm__ volatile("ud2");
}

void
umain(int argc, char **argv)
{
	uint32_t count = bench_begin(argc, argv);
	envid_t child = bench_child(compute_and_yield);

	bench("fpu_switch", count, switch_fpu);
	sys_env_destroy(child);
	bench_must(set_exception_handler(T_ILLOP, skip_ud2), "set_exception_handler");
	bench("exception", count, illegal);
	bench_end();
}
