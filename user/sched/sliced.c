// A time slice ends, though the program makes no call. It is run twice on one CPU, which has
// nothing to do in between and stops its timer: tests/kernel/test_smp.py.

#include <inc/lib.h>

#define LOOPS 40000000 // Many slices' worth where the clock counts instructions

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
