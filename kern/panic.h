#ifndef JOS_KERN_PANIC_H
#define JOS_KERN_PANIC_H

#include <inc/types.h>

// The format of the panic message, or NULL. A CPU that enters the kernel and finds it set stops.
extern const char *volatile panicstr;

// Begin a panic of this CPU: stop the other CPUs and take the console. `why` is the cause and eip
// the place. Returns only on the first CPU that calls it, and once. The caller may then print more
// than fits into a panic message, and must call panic().
void panic_begin(const char *why, uintptr_t eip);

// Return whether this CPU has panicked. It is the only CPU that still runs.
bool panicking(void);

// Stop this CPU, because another CPU has panicked.
void panic_halt(void) __attribute__((noreturn));

#endif // JOS_KERN_PANIC_H
