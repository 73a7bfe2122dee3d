// Making races happen. A race is lost only if a CPU is slow between two certain
// instructions, which may come about once in a million times. With the option
// jitter=SEED on the command line the kernel is slow on purpose, for a random while,
// where others could come in between: before a lock is taken and after it is dropped,
// before a CPU sleeps, is woken, or is interrupted by another. And time slices are random.
//
// Each CPU has random numbers of its own, which are determined by the seed and the CPU's
// number. So one CPU whose clock counts instructions (qemu -icount) does the same again
// with the same seed; several do not, as they also depend on each other.

#include <inc/stdio.h>
#include <inc/string.h>

#include <kern/cpu.h>
#include <kern/check/jitter.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <kern/tlb.h>

#define SPIN_LEAST 3  // Half of the spins are of less than 1 << SPIN_LEAST rounds,
#define SPIN_BITS  15 // and all of less than 1 << SPIN_BITS.
#define SLICE_BITS 8  // A slice is at least the usual one >> SLICE_BITS.

#define SEED_DIGITS 9 // So many fit into a long.

HOT_DATA uint32_t jitter_seed;
static uint32_t states[NCPU];

bool
jitter_set(const char *value)
{
	char *end;
	long seed = strtol(value, &end, 10);

	if (*value < '0' || (*end && *end != ' ') || end - value > SEED_DIGITS || seed <= 0)
		return false;
	for (uint32_t i = 0; i < NCPU; i++) {
		// Two odd factors keep what is near from being alike. 0 would stay 0.
		states[i] = (uint32_t)seed * 2654435761U ^ i * 2246822519U;
		if (states[i] == 0)
			states[i] = 1;
		__atomic_fetch_or(&cpus[i].cpu_tlb_debt, TLB_JITTER, __ATOMIC_SEQ_CST);
	}
	jitter_seed = seed;
	time_slice = 0;
	lock_kernel_slowly(true);
	cprintf("jitter: seed %u\n", jitter_seed);
	return true;
}

// xorshift32: not good, but quick, and never 0.
static uint32_t
next_random(void)
{
	uint32_t *state = &states[cpunum()];

	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

void
jitter_spin(void)
{
	uint32_t random = next_random();
	// Twice as long is half as likely, so all lengths together take the same time.
	uint32_t bits = __builtin_ctz(random | 1 << (SPIN_BITS - SPIN_LEAST)) + SPIN_LEAST;

	random = next_random();
	for (volatile uint32_t left = random & ((1U << bits) - 1); left > 0; left--) {
		// Only time shall pass.
	}
}

uint32_t
jitter_slice(uint32_t ticks)
{
	if (!jitter_seed)
		return ticks;
	uint32_t random = next_random();
	uint32_t most = ticks >> random % SLICE_BITS;

	return most / 2 + (random >> 8) % (most / 2 + 1) + 1; // 0 would stop the timer.
}
