#ifndef JOS_KERN_MULTIBOOT_H
#define JOS_KERN_MULTIBOOT_H

#include <inc/multiboot.h>

// A range of physical addresses below KERNMAX.
struct MemRange {
	physaddr_t start;
	physaddr_t end; // Exclusive
	bool available; // RAM that nobody else needs
};

#define MAX_RANGES  64
#define CMDLINE_MAX 512

// What the boot loader told us, once multiboot_init has copied it.
extern struct MemRange boot_ranges[MAX_RANGES];
extern int boot_nranges;
extern uint64_t boot_memory_total; // Bytes available, those beyond KERNMAX included
extern char boot_cmdline[CMDLINE_MAX];

// Copy what the kernel needs out of the information at a physical address, before
// anything can overwrite it. Panics if it makes no sense.
void multiboot_init(physaddr_t info);

#endif // JOS_KERN_MULTIBOOT_H
