#ifndef JOS_BOOT_BOOT_H
#define JOS_BOOT_BOOT_H

// What boot.S, main.c and tools/mkimage.py, which reads the numbers below out of
// this file, agree on.

// The disk, in sectors: this program, the command line (a string that ends in a
// NUL), and from there on the kernel's ELF file.
#define BOOT_SECTSIZE    512
#define BOOT_CODE_MAX    510 // The sector's last two bytes are its signature
#define BOOT_CMDLINE_LBA 1
#define BOOT_KERNEL_LBA  2
#define BOOT_BLOCK       16 // Sectors read at a time: the image has so many spare at its end

// Low memory: the picture is in boot.S. Command line and ELF header follow each
// other as they do on the disk, because they are read together.
#define BOOT_MMAP     0x600
#define BOOT_INFO     0xD80
#define BOOT_CMDLINE  0xE00
#define BOOT_ELFHDR   0x1000
#define BOOT_HEADERS  4096 // The ELF and program headers lie in so much of the file
#define BOOT_STACKTOP 0x7C00

#ifndef __ASSEMBLER__

#include <inc/types.h>

// boot.S has these. They take their arguments in eax, edx and ecx, as main.c,
// compiled with -mregparm=3, passes them.

// Read size bytes at offset in the kernel's file to pa. What stands before offset
// in its sector goes right before pa, and up to a block too much after pa + size.
void read_file(physaddr_t pa, uint32_t offset, uint32_t size);

// Return if there is memory from pa to pa + size. Does not, else.
void check_memory(physaddr_t pa, uint32_t size);

// Say why the kernel cannot be started, and halt.
void fail(const char *why) __attribute__((noreturn));

#endif // !__ASSEMBLER__

#endif // JOS_BOOT_BOOT_H
