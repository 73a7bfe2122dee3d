// Computes, without system calls. Several copies of this program should finish sooner on several
// CPUs than on one.

#include "bench.h"

#define LOOPS 1000 // Iterations for each count of the argument

void
umain(int argc, char **argv)
{
	uint32_t loops = bench_begin(argc, argv) * LOOPS;

	for (volatile uint32_t i = 0; i < loops; i++) {
	}
	bench_end();
}
