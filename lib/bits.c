// The compiler calls these functions for operations that have no single instruction on this CPU:
// counting bits, and 64-bit multiplication with an overflow check. (Division is in div64.c.) The
// functions do the same as libgcc's functions of these names (GCC's internals manual, "The GCC
// low-level runtime library"). The kernel and programs are not linked with libgcc itself, because
// not every compiler for x86 has a 32-bit libgcc. The functions use no global variables.

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

// Returns the number of 1 bits. The code adds neighbouring bits, then neighbouring pairs, then
// neighbouring groups of four bits. The result is four bytes; each byte is the number of 1 bits in
// the same byte of the argument. The multiplication adds the four bytes, and the top byte of the
// product is their sum.
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

// Returns 1 if the number of 1 bits is odd, otherwise 0.
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

// clz returns the number of 0 bits above the highest 1 bit; ctz returns the number of 0 bits below
// the lowest 1 bit. x must not be 0.
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

// Returns the position of the lowest 1 bit, counted from 1, or 0 if x is 0.
int
__ffsdi2(uint64_t x)
{
	return x ? 1 + __ctzdi2(x) : 0;
}

// Returns how many bits directly below the sign bit are equal to the sign bit.
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

// Returns the absolute value of x. The result is unsigned, because the absolute value of INT64_MIN
// does not fit in an int64_t.
static uint64_t
absolute(int64_t x)
{
	return x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
}

// Returns the lower 64 bits of a * b. Sets *overflow to 1 if the product does not fit in an
// int64_t, otherwise to 0.
int64_t
__mulodi4(int64_t a, int64_t b, int *overflow)
{
	uint64_t x = absolute(a), y = absolute(b);
	uint64_t limit = (~0ull >> 1) + ((a < 0) != (b < 0));

	*overflow = x != 0 && y > limit / x;
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

// Returns a * b. If the product does not fit in an int64_t, executes a trap instruction. Code that
// is compiled with -ftrapv calls this function.
int64_t
__mulvdi3(int64_t a, int64_t b)
{
	int overflow;
	int64_t product = __mulodi4(a, b, &overflow);

	if (overflow)
		__builtin_trap();
	return product;
}
