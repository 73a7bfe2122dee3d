#ifndef JOS_KERN_JITTER_H
#define JOS_KERN_JITTER_H

#include <inc/types.h>

// Making races happen (jitter.c). May be called at any time, with any lock held.

// What the random numbers begin with; 0: there is no jitter.
extern uint32_t jitter_seed;

// The option jitter=SEED: from now on. False if the value is no number from 1 to 999999999.
bool jitter_set(const char *value);

// Spin for a random while: mostly a few instructions, rarely some 100 microseconds.
void jitter_spin(void);

// How long a time slice of so many ticks shall be: random, from 1/256 of it up to all.
uint32_t jitter_slice(uint32_t ticks);

// To be called wherever it must do no harm that this CPU is slow: between two steps
// that others may come in between.
static inline void
jitter(void)
{
	if (__builtin_expect(jitter_seed != 0, 0))
		jitter_spin();
}

#endif // JOS_KERN_JITTER_H
