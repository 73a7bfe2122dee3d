#ifndef JOS_BOOT_BOOT_H
#define JOS_BOOT_BOOT_H

// Constants for boot.S, main.c and tools/build/mkimage.py, which reads this file as text.

// The disk holds the boot sector, then one sector with the command line (a string that ends with a
// NUL), and then the kernel's ELF file. An LBA is the number of a sector. The disk is read in
// blocks of several sectors. The image ends with one block of unused sectors, so that the last read
// stays inside the image.
#define BOOT_SECTSIZE    512
#define BOOT_CODE_MAX    510 // Bytes for code: the sector's last two bytes are its signature
#define BOOT_CMDLINE_LBA 1
#define BOOT_KERNEL_LBA  2
#define BOOT_BLOCK       16 // Sectors per block

// Addresses in low memory: see the diagram in boot.S. The command line and the ELF header are
// adjacent in memory, as on the disk, because one read loads both.
#define BOOT_MMAP     0x600
#define BOOT_INFO     0xD80
#define BOOT_CMDLINE  0xE00
#define BOOT_ELFHDR   0x1000
#define BOOT_HEADERS  4096 // Bytes that boot_main reads first: they contain all ELF headers
#define BOOT_STACKTOP 0x7C00

#ifndef __ASSEMBLER__

#include <inc/types.h>

// The following functions are in boot.S. Their arguments are in eax, edx and ecx, because main.c is
// compiled with -mregparm=3.

// Read `size` bytes of the kernel's file, beginning at `offset`, to physical address pa. The disk
// is read in whole blocks, from the start of a sector. So this function also overwrites less than a
// sector of memory before pa, and at most a block after pa + size.
void read_file(physaddr_t pa, uint32_t offset, uint32_t size);

// Check that all memory from pa to pa + size is available. If not, print an error and halt.
void check_memory(physaddr_t pa, uint32_t size);

// Print why the kernel cannot be started, and halt.
void fail(const char *why) __attribute__((noreturn));

#endif // !__ASSEMBLER__

#endif // JOS_BOOT_BOOT_H
