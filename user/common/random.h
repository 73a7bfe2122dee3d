#ifndef JOS_USER_RANDOM_H
#define JOS_USER_RANDOM_H

// Pseudo-random numbers. Set random_state to a seed other than 0; the same seed gives the same
// numbers.

#include <inc/types.h>

static uint32_t random_state;

// xorshift32: simple, and random enough for tests. Never returns 0.
static inline uint32_t
random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

// Returns a number from 0 to n - 1.
static inline uint32_t
below(uint32_t n)
{
	return random() % n;
}

// Returns true once in n calls, on average.
static inline bool
one_in(uint32_t n)
{
	return below(n) == 0;
}

#endif // JOS_USER_RANDOM_H
