// Computes, and does nothing else: with several of these, several CPUs should be done
// sooner than one.

#include "bench.h"

#define LOOPS 1000 // For each that is asked for

void
umain(int argc, char **argv)
{
	uint32_t loops = bench_begin(argc, argv) * LOOPS;

	for (volatile uint32_t i = 0; i < loops; i++) {
	}
	bench_end();
}
