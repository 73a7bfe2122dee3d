// Measures how long time slices are, in ticks of the time stamp counter. When a slice ends and no
// other environment is runnable, the same environment runs again, and env_runs counts this. The
// length in seconds depends on the counter's rate, which tests/machines/test_machines.py knows.

#include <inc/lib.h>

#define SLICES 20

// Wait until the next slice begins. Returns the time.
static uint64_t
next_slice(void)
{
	uint32_t runs = thisenv->env_runs;

	while (thisenv->env_runs == runs) {
	}
	return read_tsc();
}

void
umain(int argc, char **argv)
{
	uint32_t shortest = ~0U, longest = 0;

	uint64_t start = next_slice(), now = start;
	for (int i = 0; i < SLICES; i++) {
		uint64_t before = now;
		now = next_slice();
		shortest = MIN(shortest, (uint32_t)(now - before));
		longest = MAX(longest, (uint32_t)(now - before));
	}
	uint32_t average = (uint32_t)(now - start) / SLICES;
	// A CPU that waits for the big lock takes its next timer interrupt late, and a line takes
	// milliseconds to print: let the environments on the other CPUs finish measuring first.
	for (int i = 0; i < SLICES; i++)
		next_slice();
	cprintf("slices: %d on CPU %d, of %u ticks on average, %u at least, %u at most\n", SLICES,
	    thisenv->env_cpunum, average, shortest, longest);
}
