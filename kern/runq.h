#ifndef JOS_KERN_RUNQ_H
#define JOS_KERN_RUNQ_H

// The runnable environments: a bit for each slot of envs[], and a bit for each word of these
// that is not zero. env_set_status keeps both in step with env_status. The caller holds
// the big lock.

#include <inc/env.h>
#include <inc/x86.h>

#define RUNQ_WORDS (NENV / 32)

extern uint32_t runq[RUNQ_WORDS];
extern uint32_t runq_words; // sysentry.S looks at it without the lock

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

// The first one from a slot on, in circular order. -1: there is none.
static inline int
runq_first(uint32_t slot)
{
	uint32_t word = slot / 32;
	uint32_t bits = runq[word] & ~0U << slot % 32;

	if (!bits) {
		// The words after this one; else from word 0, up to and with this one.
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

#endif // JOS_KERN_RUNQ_H
