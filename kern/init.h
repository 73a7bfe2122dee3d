#ifndef JOS_KERN_INIT_H
#define JOS_KERN_INIT_H

#include <inc/types.h>

// Coming up, and going down (init.c).

void i386_init(physaddr_t multiboot_info) __attribute__((noreturn));
void mp_main(int cpu) __attribute__((noreturn));

// What a CPU panicked about, or NULL. The others stop when they see it.
extern const char *volatile panicstr;

// This CPU panics, for something that happened at eip: from here on the console is its
// own, and all others stand still. Returns only to the first one that comes, and once:
// to say more than fits into a panic's line, and then panic.
void panic_begin(const char *why, uintptr_t eip);

// Whether it is this CPU that panicked. It alone goes on.
bool panicking(void);

// Another one did.
void panic_halt(void) __attribute__((noreturn));

#endif // JOS_KERN_INIT_H
