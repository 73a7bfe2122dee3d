#ifndef JOS_KERN_RUNQ_H
#define JOS_KERN_RUNQ_H

// The runnable environments, and the CPUs that have nothing to run (runq.c). The caller holds the
// big lock.

#include <inc/env.h>
#include <inc/x86.h>

#include <kern/cpu.h>

// The runnable environments: a bit for each slot of envs[], and in runq_words a bit for each word
// of runq that is not zero. env_set_status keeps both in step with env_status.
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

// Return the first runnable slot from `slot` on, in circular order, or -1.
static inline int
runq_first(uint32_t slot)
{
	uint32_t word = slot / 32;
	uint32_t bits = runq[word] & ~0U << slot % 32;

	if (!bits) {
		// The words after this one, otherwise all words: circular order.
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

// Mark this CPU as idle: its status is CPU_POLLING. And as no longer idle.
void runq_idle(void);
void runq_busy(void);

// Make a CPU look for an environment to run, if it is idle.
void unidle_cpu(int cpu);

// An environment has become runnable: wake an idle CPU, if there is one. Called by env_set_status.
void runq_wake(void);

#endif // JOS_KERN_RUNQ_H
