#ifndef JOS_INC_ASSERT_H
#define JOS_INC_ASSERT_H

#include <inc/stdio.h>

// In the kernel these are kern/init.c's, in a program lib/panic.c's.
void _warn(const char *file, int line, const char *fmt, ...);
void _panic(const char *file, int line, const char *fmt, ...) __attribute__((noreturn));

// Say what is wrong, and where; go on, or end.
#define warn(...)  _warn(__FILE__, __LINE__, __VA_ARGS__)
#define panic(...) _panic(__FILE__, __LINE__, __VA_ARGS__)

#define assert(x) ((x) ? (void)0 : panic("assertion failed: %s", #x))

// Refused by the compiler if x, a constant, is zero.
#define static_assert(x) _Static_assert(x, #x)

#endif // JOS_INC_ASSERT_H
