// Measures sys_yield: with no other environment, and with a switch to another environment and back.

#include "bench.h"

static void
yield(uint32_t done)
{
	sys_yield();
}

void
umain(int argc, char **argv)
{
	uint32_t count = bench_begin(argc, argv);

	bench("yield", count, yield);
	envid_t child = bench_child(sys_yield);
	bench("yield_switch", count, yield);
	sys_env_destroy(child);
	bench_end();
}
