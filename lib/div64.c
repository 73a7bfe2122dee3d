// 64-bit division. In 32-bit mode, the CPU has no instruction for this operation, so the compiler
// calls the functions in this file. They are normally in libgcc; bits.c says why libgcc is not
// linked. The functions use no global variables.
//
// All functions use the instruction divl. This instruction divides a 64-bit number by a 32-bit
// number, and traps if the quotient does not fit in 32 bits or if the divisor is 0.

#include <inc/types.h>

// Divide the 64-bit number high:low by d. Returns the quotient and stores the remainder in *rem.
// The CPU traps if high >= d.
static inline uint32_t
divide_step(uint32_t high, uint32_t low, uint32_t d, uint32_t *rem)
{
	uint32_t q;

	__asm__ volatile("divl %4" : "=a"(q), "=d"(*rem) : "0"(low), "1"(high), "rm"(d) : "cc");
	return q;
}

// Returns n / d. d must be less than 2^32. Works like division on paper, with 32-bit digits.
static uint64_t
divide_by_word(uint64_t n, uint32_t d, uint64_t *remainder)
{
	uint32_t rest, high, low;

	high = divide_step(0, n >> 32, d, &rest);
	low = divide_step(rest, n, d, &rest);
	*remainder = rest;
	return (uint64_t)high << 32 | low;
}

// Returns n / d. d must be 2^32 or more, so the quotient fits in 32 bits.
//
// 1. Estimate the quotient from the upper 32 significant bits of d. n is halved so that divl cannot
//    overflow; the shift after the division corrects for this. The estimate is right or 1 too
//    large.
// 2. Subtract 1 (unless the estimate is 0). Now the estimate is right or 1 too small.
// 3. Compute the remainder. If the remainder is d or more, the estimate was too small: add 1.
static uint64_t
divide_by_long(uint64_t n, uint64_t d, uint64_t *remainder)
{
	unsigned shift = __builtin_clz((uint32_t)(d >> 32));
	uint32_t top = d << shift >> 32, half = n >> 33, rest, quotient;

	quotient = divide_step(half, n >> 1, top, &rest) >> (31 - shift);
	if (quotient > 0)
		quotient--;
	n -= quotient * d;
	if (n >= d) {
		quotient++;
		n -= d;
	}
	*remainder = n;
	return quotient;
}

uint64_t
__udivmoddi4(uint64_t n, uint64_t d, uint64_t *remainder)
{
	uint64_t unwanted;

	if (!remainder)
		remainder = &unwanted;
	if (d >> 32 == 0)
		return divide_by_word(n, d, remainder);
	return divide_by_long(n, d, remainder);
}

uint64_t
__udivdi3(uint64_t n, uint64_t d)
{
	return __udivmoddi4(n, d, NULL);
}

uint64_t
__umoddi3(uint64_t n, uint64_t d)
{
	uint64_t remainder;

	__udivmoddi4(n, d, &remainder);
	return remainder;
}

// Signed division rounds towards 0 in C, so the remainder has the sign of n.
int64_t
__divmoddi4(int64_t n, int64_t d, int64_t *remainder)
{
	uint64_t size_n = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	uint64_t size_d = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
	uint64_t quotient, rest;

	quotient = __udivmoddi4(size_n, size_d, &rest);
	*remainder = n < 0 ? 0 - rest : rest;
	return (n < 0) != (d < 0) ? 0 - quotient : quotient;
}

int64_t
__divdi3(int64_t n, int64_t d)
{
	int64_t remainder;

	return __divmoddi4(n, d, &remainder);
}

int64_t
__moddi3(int64_t n, int64_t d)
{
	int64_t remainder;

	__divmoddi4(n, d, &remainder);
	return remainder;
}
