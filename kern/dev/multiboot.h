#ifndef JOS_KERN_MULTIBOOT_H
#define JOS_KERN_MULTIBOOT_H

#include <inc/multiboot.h>

// What the boot loader passes to the kernel: the memory map and the command line.

// A range of physical addresses below KERNMAX
struct MemRange {
	physaddr_t start;
	physaddr_t end; // Exclusive
	bool available; // True for free RAM; false for memory that firmware or a device uses
};

#define MAX_RANGES  64
#define CMDLINE_MAX 512

// Set by multiboot_init, and constant afterwards
extern struct MemRange boot_ranges[MAX_RANGES]; // The memory map; ranges may overlap
extern int boot_nranges;
extern uint64_t boot_memory_total; // Bytes of available memory, including memory above KERNMAX
extern char boot_cmdline[CMDLINE_MAX];

// Copy the memory map and the command line from the Multiboot information at physical address info.
// Call this before the kernel can overwrite the Multiboot information. Panics if the information is
// invalid.
void multiboot_init(physaddr_t info);

#endif // JOS_KERN_MULTIBOOT_H
