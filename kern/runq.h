#ifndef JOS_KERN_RUNQ_H
#define JOS_KERN_RUNQ_H

// The runnable environments, and the CPUs that have nothing to run (runq.c). The caller holds the
// big lock.

#include <inc/env.h>
#include <inc/x86.h>

#include <kern/cpu.h>

// The runnable environments: runq has one bit per slot of envs[], and runq_words has one bit per
// word of runq, which is set while that word is not zero. env_set_status keeps both in step with
// env_status. (A dying environment may also be in this set: end.c gives it turns.)
#define RUNQ_WORDS (NENV / 32)

extern uint32_t runq[RUNQ_WORDS];
extern uint32_t runq_words; // challenge/sysentry.S reads it without the lock.

static inline void
runq_add(uint32_t slot)
{
	set_bit(runq, slot);
	set_bit(&runq_words, slot / 32);
}

static inline void
runq_remove(uint32_t slot)
{
	clear_bit(runq, slot);
	if (runq[slot / 32] == 0)
		clear_bit(&runq_words, slot / 32);
}

// Return the first runnable slot from `slot` on, in circular order, or -1 if there is none.
static inline int
runq_first(uint32_t slot)
{
	uint32_t word = slot / 32;
	uint32_t bits = runq[word] & ~0U << slot % 32;

	if (!bits) {
		// Try the words after this one, then all words: the order is circular.
		uint32_t words = runq_words & ~1U << word;
		if (!words)
			words = runq_words;
		if (!words)
			return -1;
		word = __builtin_ctz(words);
		bits = runq[word];
	}
	return word * 32 + __builtin_ctz(bits);
}

// Number of turns that sched_yield has begun.
extern uint32_t sched_turns;

// runq_idle marks this CPU as idle, with status CPU_POLLING. runq_busy marks it as no longer idle.
void runq_idle(void);
void runq_busy(void);

// If the CPU is idle, make it look for an environment to run.
void unidle_cpu(int cpu);

// Wake an idle CPU, if there is one, to run an environment that has become runnable.
void runq_wake(void);

#endif // JOS_KERN_RUNQ_H
