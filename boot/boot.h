#ifndef JOS_BOOT_BOOT_H
#define JOS_BOOT_BOOT_H

// Constants for boot.S, main.c and tools/build/mkimage.py, which reads this file as text.

// Layout of the disk, in sectors: the boot sector; the command line (a string that ends with a
// NUL); then the kernel's ELF file.
#define BOOT_SECTSIZE    512
#define BOOT_CODE_MAX    510 // The sector's last two bytes are its signature
#define BOOT_CMDLINE_LBA 1
#define BOOT_KERNEL_LBA  2
#define BOOT_BLOCK       16 // Sectors per read; the image ends with BOOT_BLOCK spare sectors

// Addresses in low memory; boot.S has a diagram. The command line and the ELF header are next to
// each other in memory, as they are on the disk, because they are read together.
#define BOOT_MMAP     0x600
#define BOOT_INFO     0xD80
#define BOOT_CMDLINE  0xE00
#define BOOT_ELFHDR   0x1000
#define BOOT_HEADERS  4096 // Size of the file's first part, which has the ELF and program headers
#define BOOT_STACKTOP 0x7C00

#ifndef __ASSEMBLER__

#include <inc/types.h>

// The following functions are in boot.S. Their arguments are in eax, edx and ecx, because main.c is
// compiled with -mregparm=3.

// Read size bytes at offset in the kernel's file to physical address pa. The disk is read in whole
// blocks, so memory around this range is also overwritten: before pa, from the beginning of the
// sector on; after pa + size, at most a block.
void read_file(physaddr_t pa, uint32_t offset, uint32_t size);

// Return if all memory from pa to pa + size is available. Otherwise print an error and halt.
void check_memory(physaddr_t pa, uint32_t size);

// Print why the kernel cannot be started, and halt.
void fail(const char *why) __attribute__((noreturn));

#endif // !__ASSEMBLER__

#endif // JOS_BOOT_BOOT_H
