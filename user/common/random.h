#ifndef JOS_USER_RANDOM_H
#define JOS_USER_RANDOM_H

// Numbers that look random, and are the same each time for a seed that is not 0.

#include <inc/types.h>

static uint32_t random_state;

// xorshift32: not good, but good enough, and never 0.
static inline uint32_t
random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

// A number from 0 to n - 1.
static inline uint32_t
below(uint32_t n)
{
	return random() % n;
}

static inline bool
one_in(uint32_t n)
{
	return below(n) == 0;
}

#endif // JOS_USER_RANDOM_H
