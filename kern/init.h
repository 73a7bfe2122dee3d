#ifndef JOS_KERN_INIT_H
#define JOS_KERN_INIT_H

#include <inc/types.h>

// Start-up and panic (init.c).

void i386_init(physaddr_t multiboot_info) __attribute__((noreturn));
void mp_main(int cpu) __attribute__((noreturn));

// The format of the panic message, or NULL. CPUs that find it set stop.
extern const char *volatile panicstr;

// Begin a panic of this CPU, whose cause `why` was found at eip: stop the other CPUs, and take the
// console. Returns only on the first CPU that calls it, and once. The caller may then print more
// than fits in a panic message, and must call panic().
void panic_begin(const char *why, uintptr_t eip);

// Whether this CPU has panicked. Only that CPU goes on.
bool panicking(void);

// Stop this CPU, because another CPU has panicked.
void panic_halt(void) __attribute__((noreturn));

#endif // JOS_KERN_INIT_H
