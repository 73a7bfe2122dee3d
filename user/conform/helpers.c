// Tests the helper functions that compilers call for some operations: those of lib/bits.c,
// lib/div64.c and lib/floats.c. Their results are compared with those of simple loops.

#include <inc/lib.h>

static const uint64_t numbers[] = { 1, 2, 3, 0x80, 0xFFFFFFFF, 0x80000000, 0x100000000,
	0x123456789ABCDEF0, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFF00000000, ~0ull };

static int
count_ones(uint64_t x)
{
	int ones = 0;

	for (int i = 0; i < 64; i++)
		ones += (volatile uint64_t){ x } >> i & 1;
	return ones;
}

// Returns the number of the lowest 1 bit.
static int
lowest(uint64_t x)
{
	int i = 0;

	while (!(x >> i & 1))
		i++;
	return i;
}

// Returns the number of the highest 1 bit.
static int
highest(uint64_t x)
{
	int i = 63;

	while (!(x >> i & 1))
		i--;
	return i;
}

static void
check_bits(uint64_t x)
{
	uint32_t low = x;

	assert(__builtin_popcountll(x) == count_ones(x));
	assert(__builtin_popcount(low) == count_ones(low));
	assert(__builtin_parityll(x) == count_ones(x) % 2);
	assert(__builtin_parity(low) == count_ones(low) % 2);
	assert(__builtin_ctzll(x) == lowest(x));
	assert(__builtin_clzll(x) == 63 - highest(x));
	assert(__builtin_ffsll(x) == lowest(x) + 1);
	assert(__builtin_clrsbll(x) == __builtin_clrsbll(~x));
	assert(__builtin_clrsbll(x >> 1) == (x >> 1 ? 62 - highest(x >> 1) : 63));
	assert(__builtin_clrsb(low >> 1) == (low >> 1 ? 30 - highest(low >> 1) : 31));
}

static void
check_arithmetic(uint64_t x, uint64_t y)
{
	int64_t product;
	bool overflow = __builtin_mul_overflow((int64_t)x, (int64_t)y, &product);

	assert(x / y * y + x % y == x && x % y < y);
	assert((uint64_t)product == x * y);
	if (y + 1 > 1) // Neither 0 nor -1
		assert(overflow == (product / (int64_t)y != (int64_t)x));
}

static void
check_floats(double x, int n)
{
	_Complex double z = __builtin_complex(x, 2.0), w = z * z / z - z;
	double power = 1;

	for (int i = 0; i < n; i++)
		power *= x;
	assert(__builtin_powi(x, n) == power);
	double error = __builtin_powi(x, -n) * power - 1; // Rounding error only
	assert(error > -1e-9 && error < 1e-9);
	assert(__real__ w > -1e-9 && __real__ w < 1e-9);
	assert(__imag__ w > -1e-9 && __imag__ w < 1e-9);
	assert((double)(uint64_t)(x * x) == x * x);
}

void
umain(int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		check_bits(numbers[i]);
		for (size_t j = 0; j < ARRAY_SIZE(numbers); j++)
			check_arithmetic(numbers[i], numbers[j]);
	}
	for (volatile int n = 1; n < 8; n++)
		check_floats(n, n);
	cprintf("helpers: ok\n");
}
