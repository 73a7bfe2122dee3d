#ifndef JOS_USER_BENCH_H
#define JOS_USER_BENCH_H

// Functions of the programs that measure costs: user/bench/bench*.c, which tools/measure/bench.py
// runs. Each program prints, for each operation,
//
//	bench: NAME: 423 each (423017 in 1000)
//
// in ticks of the time stamp counter. Under QEMU's -icount shift=0, a tick is a guest instruction,
// and the counts are the same in every run. The instructions of the loop are included. The first
// and the last line of a program print the time stamp counter, from which tools/measure/bench.py
// computes how long a tick is.
//
// This file includes only inc/lib.h, so that older revisions can be measured with it.

#include <inc/lib.h>

#define BENCH_PAGE ((void *)0x10000000) // Unmapped; the first page of a page table

#define BENCH_PERM (PTE_P | PTE_U | PTE_W)

static inline int
bench_must(int r, const char *what)
{
	if (r < 0)
		panic("%s: %e", what, r);
	return r;
}

// Print the start time. Returns how often to run the operation: the program's argument, or 500.
static inline uint32_t
bench_begin(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 500;

	if (count < 1 || count > 1000000) {
		cprintf("%s: %s: must be a number from 1 to 1000000\n", binaryname, argv[1]);
		exit();
	}
	cprintf("bench: begins at %llu\n", read_tsc());
	return count;
}

// Returns a smaller count for a slow operation, but at least 100.
static inline uint32_t
bench_fewer(uint32_t count)
{
	return MAX(count / 10, 100U);
}

static inline void
bench_end(void)
{
	cprintf("bench: ends at %llu\n", read_tsc());
}

// Run an operation `count` times to warm up, then `count` times to measure it. `done` is how often
// the operation ran before.
static inline __attribute__((always_inline)) void
bench(const char *name, uint32_t count, void (*operation)(uint32_t done))
{
	uint64_t start = 0;

	for (uint32_t done = 0; done < 2 * count; done++) {
		if (done == count)
			start = read_tsc();
		operation(done);
	}
	uint64_t ticks = read_tsc() - start;
	cprintf("bench: %s: %llu each (%llu in %u)\n", name, ticks / count, ticks, count);
}

// Make a child that calls `run` in a loop that never ends. The caller must destroy the child.
static inline envid_t
bench_child(void (*run)(void))
{
	envid_t child = bench_must(fork(), "fork");

	while (child == 0)
		run();
	return child;
}

// Make a child that exits at once, and wait until it is gone.
static inline __attribute__((always_inline)) void
bench_fork(envid_t (*make_child)(void))
{
	envid_t child = bench_must(make_child(), "fork");

	if (child == 0)
		exit();
	while (envs[ENVX(child)].env_id == child && envs[ENVX(child)].env_status != ENV_FREE)
		sys_yield();
}

#endif // JOS_USER_BENCH_H
