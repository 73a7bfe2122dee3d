#ifndef JOS_KERN_INIT_H
#define JOS_KERN_INIT_H

#include <inc/types.h>

// Coming up, and going down (init.c).

void i386_init(physaddr_t multiboot_info) __attribute__((noreturn));
void mp_main(int cpu) __attribute__((noreturn));

// What a CPU panicked about, or NULL. The others stop when they see it.
extern const char *volatile panicstr;
void panic_halt(void) __attribute__((noreturn));

#endif // JOS_KERN_INIT_H
