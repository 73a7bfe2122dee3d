// Functions that the compiler calls for floating-point expressions: powers with an integer exponent
// (__builtin_powi), and products and quotients of complex numbers. Only programs use them; the
// kernel has no floating point. As in bits.c, the names are those of libgcc.
//
// These functions differ from C11, annex G: in some cases where the standard requires an infinity,
// they return a NaN.

#include <inc/types.h>

#define POWER(name, type)                                                                \
	type name(type base, int exponent);                                              \
	type name(type base, int exponent)                                               \
	{                                                                                \
		unsigned left = exponent < 0 ? -(unsigned)exponent : (unsigned)exponent; \
		type power = 1;                                                          \
                                                                                         \
		for (; left; left >>= 1, base *= base)                                   \
			if (left & 1)                                                    \
				power *= base;                                           \
		return exponent < 0 ? 1 / power : power;                                 \
	}

POWER(__powisf2, float)
POWER(__powidf2, double)
POWER(__powixf2, long double)

// The product (a + bi) * (c + di), and the quotient (a + bi) / (c + di). The usual divisor of the
// quotient, c * c + d * d, could overflow. So numerator and denominator are first divided by the
// larger of c and d (in absolute value).
#define COMPLEX(product, quotient, type)                                                        \
	_Complex type product(type a, type b, type c, type d);                                  \
	_Complex type quotient(type a, type b, type c, type d);                                 \
	_Complex type product(type a, type b, type c, type d)                                   \
	{                                                                                       \
		return __builtin_complex(a * c - b * d, a * d + b * c);                         \
	}                                                                                       \
	_Complex type quotient(type a, type b, type c, type d)                                  \
	{                                                                                       \
		bool real = (c < 0 ? -c : c) >= (d < 0 ? -d : d);                               \
		type ratio = real ? d / c : c / d;                                              \
		type divisor = real ? c + d * ratio : c * ratio + d;                            \
                                                                                                \
		if (real)                                                                       \
			return __builtin_complex(                                               \
			    (a + b * ratio) / divisor, (b - a * ratio) / divisor);              \
		return __builtin_complex((a * ratio + b) / divisor, (b * ratio - a) / divisor); \
	}

COMPLEX(__mulsc3, __divsc3, float)
COMPLEX(__muldc3, __divdc3, double)
COMPLEX(__mulxc3, __divxc3, long double)
