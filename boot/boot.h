#ifndef JOS_BOOT_BOOT_H
#define JOS_BOOT_BOOT_H

// Constants for boot.S, main.c and tools/build/mkimage.py, which reads this file as text.

// The disk, in sectors: the boot sector; the command line (a string that ends with a NUL); then
// the kernel's ELF file.
#define BOOT_SECTSIZE    512
#define BOOT_CODE_MAX    510 // The sector's last two bytes are its signature
#define BOOT_CMDLINE_LBA 1
#define BOOT_KERNEL_LBA  2
#define BOOT_BLOCK       16 // Sectors in a read; the image ends with as many spare sectors

// Low memory; boot.S has a picture. The command line and the ELF header are next to each other, as
// on the disk, because they are read together.
#define BOOT_MMAP     0x600
#define BOOT_INFO     0xD80
#define BOOT_CMDLINE  0xE00
#define BOOT_ELFHDR   0x1000
#define BOOT_HEADERS  4096 // The ELF header and program headers are in this many first bytes
#define BOOT_STACKTOP 0x7C00

#ifndef __ASSEMBLER__

#include <inc/types.h>

// Defined in boot.S. Arguments are in eax, edx and ecx: main.c is compiled with -mregparm=3.

// Read size bytes at offset in the kernel's file to physical address pa. The disk is read in whole
// blocks, so memory around this range is overwritten too: before pa, the bytes from the beginning
// of the sector on; after pa + size, up to a block.
void read_file(physaddr_t pa, uint32_t offset, uint32_t size);

// Return if there is available memory from pa to pa + size. Otherwise print an error and halt.
void check_memory(physaddr_t pa, uint32_t size);

// Print why the kernel cannot be started, and halt.
void fail(const char *why) __attribute__((noreturn));

#endif // !__ASSEMBLER__

#endif // JOS_BOOT_BOOT_H
