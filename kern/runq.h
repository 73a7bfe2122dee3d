#ifndef JOS_KERN_RUNQ_H
#define JOS_KERN_RUNQ_H

// The set of runnable environments, and the set of idle CPUs (runq.c). Callers hold the big lock.

#include <inc/env.h>
#include <inc/x86.h>

#include <kern/cpu.h>

// The set of runnable environments. runq has one bit for each slot of envs[]. runq_words has one
// bit for each word of runq. This bit is set if the word is not 0. env_set_status updates both. (A
// dying environment may also be in the set: in its turns, the scheduler frees its memory.)
#define RUNQ_WORDS (NENV / 32)

extern uint32_t runq[RUNQ_WORDS];
extern uint32_t runq_words; // challenge/sysentry.S reads this variable without the lock.

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

// Search from `slot` on, in circular order. Return the first runnable slot, or -1 if there is none.
static inline int
runq_first(uint32_t slot)
{
	uint32_t word = slot / 32;
	uint32_t bits = runq[word] & ~0U << slot % 32;

	if (!bits) {
		// Search the words after this word. If all are 0, start again at the first word.
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

// Number of turns that sched_yield has given to environments.
extern uint32_t sched_turns;

// runq_idle marks this CPU as idle (CPU_POLLING). runq_busy marks this CPU as busy (CPU_STARTED).
void runq_idle(void);
void runq_busy(void);

// If CPU number `cpu` is idle, make it search for an environment to run.
void unidle_cpu(int cpu);

// If any CPU is idle, wake one idle CPU, because an environment has become runnable.
void runq_wake(void);

#endif // JOS_KERN_RUNQ_H
