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

#define MIN(a, b)                                  \
	({                                         \
		__auto_type min_a_ = (a);          \
		__auto_type min_b_ = (b);          \
		min_b_ < min_a_ ? min_b_ : min_a_; \
	})
#define MAX(a, b)                                  \
	({                                         \
		__auto_type max_a_ = (a);          \
		__auto_type max_b_ = (b);          \
		max_b_ > max_a_ ? max_b_ : max_a_; \
	})

// The nearest multiple of n at or below a, and at or above. n need not be a power of two. The
// result has the type of a, so that pointers stay pointers. ROUNDUP wraps to 0 past the top.
#define ROUNDDOWN(a, n) ((__typeof__(a))multiple_below((uintptr_t)(a), (n)))
#define ROUNDUP(a, n)   ((__typeof__(a))multiple_above((uintptr_t)(a), (n)))

static inline __attribute__((always_inline)) uintptr_t
multiple_below(uintptr_t a, uintptr_t n)
{
	return a / n * n;
}

static inline __attribute__((always_inline)) uintptr_t
multiple_above(uintptr_t a, uintptr_t n)
{
	return multiple_below(a + (n - 1), n);
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif // JOS_INC_TYPES_H
