#ifndef JOS_KERN_INIT_H
#define JOS_KERN_INIT_H

#include <inc/types.h>

// The first C functions of the boot CPU and of the other CPUs (init.c).

void i386_init(physaddr_t multiboot_info) __attribute__((noreturn));
void mp_main(int cpu) __attribute__((noreturn));

#endif // JOS_KERN_INIT_H
