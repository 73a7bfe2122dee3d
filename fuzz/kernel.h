#ifndef JOS_FUZZ_KERNEL_H
#define JOS_FUZZ_KERNEL_H

// What the kernel's sources find in place of a machine. A target includes this file
// before any other, and then the sources that it tests, whole, so that it can see and
// reset what they keep to themselves. They are the kernel's own, compiled for 32 bits,
// with these differences:
//
//	physical memory	at HOST_KERNBASE, not at 0xf0000000; page tables are nobody's
//	instructions	that need privilege are calls of functions, which the target
//			defines if anything it tests uses them
//	mem*, str*	are the C library's, which AddressSanitizer watches
//	printf		text is formatted, by the C library, and goes nowhere
//	panic		ends in host_catch_panic

#include <fuzz/host.h>

#include <inc/memlayout.h>
#undef KERNBASE
#undef KSTACKTOP
#define KERNBASE  HOST_KERNBASE
#define KSTACKTOP 0xF0000000 // So that the user's part of an address space stays as it is.

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
