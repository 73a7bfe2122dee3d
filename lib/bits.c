// Functions that compilers call where the CPU has no instruction for what an
// expression or a builtin means: counting bits, and 64-bit arithmetic that is to be
// checked. Their names and meanings are those of libgcc (GCC's internals manual, "The
// GCC low-level runtime library"), which is not linked, because not every compiler for
// x86 brings it for 32 bits. Division is in div64.c. Nothing here keeps anything.

#include <inc/types.h>

#define LOW(x)  ((uint32_t)(x))
#define HIGH(x) ((uint32_t)((uint64_t)(x) >> 32))

int __popcountsi2(uint32_t x);
int __popcountdi2(uint64_t x);
int __paritysi2(uint32_t x);
int __paritydi2(uint64_t x);
int __clzdi2(uint64_t x);
int __ctzdi2(uint64_t x);
int __ffsdi2(uint64_t x);
int __clrsbsi2(int32_t x);
int __clrsbdi2(int64_t x);
int64_t __mulodi4(int64_t a, int64_t b, int *overflow);
int64_t __mulvdi3(int64_t a, int64_t b);

// How many bits are 1: sums of neighbours, first of two bits each, then of four, of eight;
// the product adds up the four bytes.
int
__popcountsi2(uint32_t x)
{
	x -= x >> 1 & 0x55555555;
	x = (x & 0x33333333) + (x >> 2 & 0x33333333);
	x = (x + (x >> 4)) & 0x0F0F0F0F;
	return x * 0x01010101 >> 24;
}

int
__popcountdi2(uint64_t x)
{
	return __popcountsi2(LOW(x)) + __popcountsi2(HIGH(x));
}

// 1 if the number of 1 bits is odd.
int
__paritysi2(uint32_t x)
{
	return __popcountsi2(x) & 1;
}

int
__paritydi2(uint64_t x)
{
	return __popcountsi2(LOW(x) ^ HIGH(x)) & 1;
}

// The 0 bits above the highest 1 bit, and below the lowest one. x is not 0.
int
__clzdi2(uint64_t x)
{
	return HIGH(x) ? __builtin_clz(HIGH(x)) : 32 + __builtin_clz(LOW(x));
}

int
__ctzdi2(uint64_t x)
{
	return LOW(x) ? __builtin_ctz(LOW(x)) : 32 + __builtin_ctz(HIGH(x));
}

// The number of the lowest 1 bit, counted from 1; 0 if there is none.
int
__ffsdi2(uint64_t x)
{
	return x ? 1 + __ctzdi2(x) : 0;
}

// The bits below the sign bit that are like it.
int
__clrsbsi2(int32_t x)
{
	uint32_t differ = x < 0 ? ~x : x;

	return differ ? __builtin_clz(differ) - 1 : 31;
}

int
__clrsbdi2(int64_t x)
{
	uint64_t differ = x < 0 ? ~x : x;

	return differ ? __clzdi2(differ) - 1 : 63;
}

// The size of a number, as an unsigned one: INT64_MIN has one, too.
static uint64_t
size_of(int64_t x)
{
	return x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
}

// a * b, the lower 64 bits; *overflow tells whether that is not all of it.
int64_t
__mulodi4(int64_t a, int64_t b, int *overflow)
{
	uint64_t x = size_of(a), y = size_of(b);
	uint64_t limit = (~0ull >> 1) + ((a < 0) != (b < 0));

	*overflow = x != 0 && y > limit / x;
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

// a * b under -ftrapv, which ends in a trap if that has more than 64 bits.
int64_t
__mulvdi3(int64_t a, int64_t b)
{
	int overflow;
	int64_t product = __mulodi4(a, b, &overflow);

	if (overflow)
		__builtin_trap();
	return product;
}
