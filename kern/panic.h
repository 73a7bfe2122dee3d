#ifndef JOS_KERN_PANIC_H
#define JOS_KERN_PANIC_H

#include <inc/types.h>

// The format string of the panic message, or NULL before a panic. If panicstr is set, each CPU that
// enters the kernel stops, except the CPU that has panicked.
extern const char *volatile panicstr;

// Begin a panic on this CPU: stop the other CPUs, and take over the console. `why` is the cause of
// the panic, and eip is the address at which it happened. Only the first call returns. The caller
// may then print more than fits into a panic message, and must call panic().
void panic_begin(const char *why, uintptr_t eip);

// Return whether this CPU has panicked. All other CPUs are then stopped.
bool panicking(void);

// Stop this CPU, because another CPU has panicked.
void panic_halt(void) __attribute__((noreturn));

#endif // JOS_KERN_PANIC_H
