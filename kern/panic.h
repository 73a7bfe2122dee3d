#ifndef JOS_KERN_PANIC_H
#define JOS_KERN_PANIC_H

#include <inc/types.h>

// The format of the panic message, or NULL before a panic. A CPU that enters the kernel and finds
// panicstr set stops, unless it is the CPU that has panicked.
extern const char *volatile panicstr;

// Begin a panic of this CPU: stop the other CPUs and take the console. `why` is the cause and eip
// the place. Returns only once, on the first CPU that calls panic_begin. The caller may then print
// more than fits into a panic message, and must call panic().
void panic_begin(const char *why, uintptr_t eip);

// Return whether this CPU has panicked. If it has, it is the only CPU that still runs.
bool panicking(void);

// Stop this CPU, because another CPU has panicked.
void panic_halt(void) __attribute__((noreturn));

#endif // JOS_KERN_PANIC_H
