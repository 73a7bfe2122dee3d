#ifndef JOS_USER_BENCH_H
#define JOS_USER_BENCH_H

// What the programs share that measure what something costs: user/bench/bench*.c, which
// tools/measure/bench.py runs. Each prints, for each operation,
//
//	bench: NAME: 423 each (423017 in 1000)
//
// in ticks of the time stamp counter. Under QEMU's -icount shift=0 these are guest
// instructions, and the same in every run. The loop is included. Between a first and a
// last line, which say what time it is, tools/measure/bench.py measures how long a tick is.
//
// This needs nothing but inc/lib.h, so that it can be put into older revisions.

#include <inc/lib.h>

#define BENCH_PAGE ((void *)0x10000000) // Where nothing is, on a page table's first page

#define BENCH_PERM (PTE_P | PTE_U | PTE_W)

static inline int
bench_must(int r, const char *what)
{
	if (r < 0)
		panic("%s: %e", what, r);
	return r;
}

// Say when this begins. Returns how often to do what is measured: the program's argument,
// or else 500 times.
static inline uint32_t
bench_begin(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 500;

	if (count < 1 || count > 1000000) {
		cprintf("%s: %s: how often? From 1 to 1000000 times\n", binaryname, argv[1]);
		exit();
	}
	cprintf("bench: begins at %llu\n", read_tsc());
	return count;
}

// For what takes long: fewer times, but not less than 100.
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

// Do an operation `count` times to get warm, and as often again to measure it. It is told
// how often it was done before.
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

// A child that does something for ever; the caller destroys it.
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
