#ifndef JOS_FUZZ_KERNEL_H
#define JOS_FUZZ_KERNEL_H

// The environment in which a fuzz target compiles the kernel's sources. A target includes this file
// first, and then the .c files that it tests, so that it can read and reset their static variables.
// The sources are compiled unchanged, for 32 bits, with these differences:
//
//	physical memory	is at HOST_KERNBASE, not at 0xf0000000; page tables are data, which no
//			CPU uses
//	instructions	that are privileged are calls of functions host_NAME; a target defines the
//			functions that the tested code uses
//	mem*, str*	are the C library's functions, which AddressSanitizer checks
//	cprintf		formats its text with the C library, and prints nothing
//	panic		returns to host_catch_panic

#include <fuzz/host.h>

#include <inc/memlayout.h>
#undef KERNBASE
#undef KSTACKTOP
#define KERNBASE  HOST_KERNBASE
#define KSTACKTOP 0xF0000000 // As in the kernel, so that the user addresses are the same, too

#include <inc/x86.h>
#define inb    host_inb
#define outb   host_outb
#define outw   host_outw
#define rcr0   host_rcr0
#define lcr0   host_lcr0
#define lcr3   host_lcr3
#define rcr4   host_rcr4
#define lcr4   host_lcr4
#define str    host_str
#define cpuid  host_cpuid
#define invlpg host_invlpg

uint8_t inb(uint16_t port);
void outb(uint16_t port, uint8_t data);
void outw(uint16_t port, uint16_t data);
uint32_t rcr0(void);
void lcr0(uint32_t value);
void lcr3(physaddr_t pgdir);
uint32_t rcr4(void);
void lcr4(uint32_t value);
uint32_t str(void);
void cpuid(uint32_t leaf, uint32_t *eaxp, uint32_t *ebxp, uint32_t *ecxp, uint32_t *edxp);
void invlpg(void *va);

#endif // JOS_FUZZ_KERNEL_H
