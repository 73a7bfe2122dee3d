// Checks that a time slice ends even if the program makes no system call. tests/kernel/test_smp.py
// runs it twice on one CPU, which is idle between the runs, and stops its timer.

#include <inc/lib.h>

#define LOOPS 40000000 // Many time slices, if the clock counts instructions

void
umain(int argc, char **argv)
{
	uint32_t runs = thisenv->env_runs;

	for (int i = 0; thisenv->env_runs == runs; i++) {
		if (i == LOOPS)
			panic("no time slice ended in %d loops", LOOPS);
	}
	cprintf("sliced: ok\n");
}
