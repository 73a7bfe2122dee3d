#ifndef JOS_INC_TYPES_H
#define JOS_INC_TYPES_H

// The integer types everything else is written in. The compiler brings these
// three headers itself, even where there is no C library.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int32_t ssize_t;
typedef int32_t off_t;
typedef uint32_t physaddr_t; // An address on the memory bus, 32 bits without PAE.

#define MIN(a, b)                                            \
	({                                                   \
		__typeof__(a) min_a_ = (a);                  \
		__typeof__(b) min_b_ = (b);                  \
		min_a_ <= min_b_ ? min_a_ : min_b_;          \
	})
#define MAX(a, b)                                            \
	({                                                   \
		__typeof__(a) max_a_ = (a);                  \
		__typeof__(b) max_b_ = (b);                  \
		max_a_ >= max_b_ ? max_a_ : max_b_;          \
	})

// Round to a multiple of n, which need not be a power of two. The result has
// the type of a, so that pointers stay pointers. ROUNDUP wraps to 0 past the top.
#define ROUNDDOWN(a, n)                                      \
	({                                                   \
		uintptr_t round_a_ = (uintptr_t)(a);         \
		(__typeof__(a))(round_a_ - round_a_ % (n));  \
	})
#define ROUNDUP(a, n)                                        \
	({                                                   \
		uintptr_t round_n_ = (uintptr_t)(n);         \
		(__typeof__(a))ROUNDDOWN((uintptr_t)(a) + round_n_ - 1, round_n_); \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif // JOS_INC_TYPES_H
