// Division of 64-bit numbers, which compilers for 32-bit Intel CPUs leave to
// functions of these names in their own library. Having them here, nothing
// else of that library is needed. Compilers call in; they keep nothing.
//
// Everything comes down to the CPU's one step: a 64-bit number by a 32-bit one,
// where the quotient has 32 bits. A zero divisor traps as it does in 32 bits.

#include <inc/types.h>

// high:low / divisor. The CPU traps if high >= divisor.
static inline uint32_t
divide_step(uint32_t high, uint32_t low, uint32_t divisor, uint32_t *remainder)
{
	uint32_t quotient;

	__asm__ volatile("divl %4"
			 : "=a"(quotient), "=d"(*remainder)
			 : "0"(low), "1"(high), "rm"(divisor)
			 : "cc");
	return quotient;
}

// n / d for a d of at most 32 bits: schoolbook, two digits by one.
static uint64_t
divide_by_word(uint64_t n, uint32_t d, uint64_t *remainder)
{
	uint32_t rest, high, low;

	high = divide_step(0, n >> 32, d, &rest);
	low = divide_step(rest, n, d, &rest);
	*remainder = rest;
	return (uint64_t)high << 32 | low;
}

// n / d for a d of more than 32 bits, so that the quotient has less than 32.
//
// Guess it from the upper 32 significant bits of d alone. n is halved so that
// the step cannot overflow, which the shift back makes good. The guess is right
// or one too large; take one away, and it is right or one too small.
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

// C rounds towards 0, so the remainder has the sign of n.
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
