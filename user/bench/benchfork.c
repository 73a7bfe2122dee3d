// Measures fork: from the call until the child, which exits at once, is freed.

#include "bench.h"

static void
fork_and_wait(uint32_t done)
{
	bench_fork(fork);
}

void
umain(int argc, char **argv)
{
	uint32_t count = bench_begin(argc, argv);

	bench("fork", bench_fewer(count), fork_and_wait);
	bench_end();
}
