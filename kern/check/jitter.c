// Random delays make races more likely, so that tests find errors. An error may happen only if a
// CPU is slow between two particular instructions. Without delays, a CPU is slow there perhaps once
// in a million times. With jitter=SEED on the command line, each CPU spins for a random time at
// those probes (kern/probe.h) where an action of another CPU can change the result. A CPU spins
// before it takes a lock, before it halts, before it wakes or interrupts another CPU, and when it
// enters or leaves the kernel. Time slices also get random lengths.
//
// The seed and the CPU's number determine the random numbers of a CPU. With one CPU and a clock
// that counts instructions (qemu -icount), the same seed repeats a run exactly. With several CPUs,
// two runs with the same seed differ, because the CPUs do not always run at the same speed.

#include <inc/stdio.h>
#include <inc/string.h>

#include <kern/cpu.h>
#include <kern/check/jitter.h>
#include <kern/probe.h>
#include <kern/timer.h>

// Every spin has fewer than 1 << SPIN_MAX_BITS iterations. At least half of all spins have fewer
// than 1 << SPIN_MIN_BITS iterations. Every time slice is at least the normal time slice divided by
// 1 << SLICE_BITS.
#define SPIN_MIN_BITS 3
#define SPIN_MAX_BITS 15
#define SLICE_BITS    8

#define SEED_DIGITS 9 // Every number of 9 digits fits in a long.

static uint32_t states[NCPU];

// Return the next random number of this CPU. The generator is xorshift32: it is fast, and good
// enough for delays. Its state is never 0.
static uint32_t
next_random(void)
{
	uint32_t *state = &states[cpunum()];

	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

// Spin for a random time: usually a few instructions, rarely about 100 microseconds.
static void
spin(void)
{
	uint32_t random = next_random();
	// The spin takes a random time below 2^bits iterations. A number of bits that is larger by
	// 1 doubles this time, but is chosen half as often. So short and long spins take the same
	// total time.
	uint32_t bits =
	    __builtin_ctz(random | 1 << (SPIN_MAX_BITS - SPIN_MIN_BITS)) + SPIN_MIN_BITS;

	random = next_random();
	for (volatile uint32_t left = random & ((1U << bits) - 1); left > 0; left--) {
		// Only waste time.
	}
}

// Restart the timer with a random period, between 1/256 of the normal period and the whole normal
// period.
static void
change_slice(void)
{
	uint32_t random = next_random();
	uint32_t most = timer_period >> random % SLICE_BITS;

	if (lapicaddr) // 1 is added to the count, because a count of 0 stops the timer.
		lapic_timer_set(most / 2 + (random >> 8) % (most / 2 + 1) + 1);
}

static void
jitter_event(enum ProbeKind kind, uint32_t argument, uintptr_t place)
{
	switch (kind) {
	case PROBE_RUN:
		change_slice();
		break;
	case PROBE_ENTER:
	case PROBE_LEAVE:
	case PROBE_LOCK_WAIT:
	case PROBE_LOCK_SLEEP:
	case PROBE_SPIN:
	case PROBE_IDLE:
	case PROBE_HALT:
	case PROBE_IPI:
	case PROBE_FLUSH:
	case PROBE_FLUSHED:
		spin();
		break;
	default: // A delay at the other probes would not change the order of events.
		break;
	}
}

bool
jitter_set(const char *value)
{
	char *end;
	long seed = strtol(value, &end, 10);

	if (*value < '0' || (*end && *end != ' ') || end - value > SEED_DIGITS || seed <= 0)
		return false;
	for (uint32_t i = 0; i < NCPU; i++) {
		// The two odd factors make the states for nearby seeds and CPUs differ in many
		// bits. Replace a state of 0, because xorshift32 never leaves this state.
		states[i] = (uint32_t)seed * 2654435761U ^ i * 2246822519U;
		if (states[i] == 0)
			states[i] = 1;
	}
	time_slice = 0; // Now each tick of the timer ends the current turn.
	probe_listen(LISTENER_JITTER, jitter_event, true);
	cprintf("jitter: seed %ld\n", seed);
	return true;
}
