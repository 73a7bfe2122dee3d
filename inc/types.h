#ifndef JOS_INC_TYPES_H
#define JOS_INC_TYPES_H

// Integer types and general macros. The three headers below are part of the compiler and need no C
// library.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int32_t ssize_t;
typedef int32_t off_t;
typedef uint32_t physaddr_t; // A physical address: 32 bits, because PAE is not used.

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

// Round a down or up to a multiple of n; n may be any positive number. The result has the type of
// a, which may be a pointer. ROUNDUP wraps around to 0 if the result does not fit in 32 bits.
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
