#ifndef JOS_INC_ASSERT_H
#define JOS_INC_ASSERT_H

#include <inc/stdio.h>

// The kernel's versions are in kern/init.c; the programs' versions are in lib/panic.c.
void _warn(const char *file, int line, const char *fmt, ...);
void _panic(const char *file, int line, const char *fmt, ...) __attribute__((noreturn));

// Print a message with file and line. warn returns; panic does not.
#define warn(...)  _warn(__FILE__, __LINE__, __VA_ARGS__)
#define panic(...) _panic(__FILE__, __LINE__, __VA_ARGS__)

#define assert(x) ((x) ? (void)0 : panic("assertion failed: %s", #x))

// Cause a compile-time error if the constant x is zero.
#define static_assert(x) _Static_assert(x, #x)

#endif // JOS_INC_ASSERT_H
