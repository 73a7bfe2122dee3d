// Measures fork_batched as benchfork measures fork. This is a separate program, so that benchfork
// can be built in revisions that have no fork_batched.

#include "bench.h"

static void
fork_and_wait(uint32_t done)
{
	bench_fork(fork_batched);
}

void
umain(int argc, char **argv)
{
	uint32_t count = bench_begin(argc, argv);

	bench("fork_batched", bench_fewer(count), fork_and_wait);
	bench_end();
}
