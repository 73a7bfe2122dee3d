#ifndef JOS_INC_MULTIBOOT_H
#define JOS_INC_MULTIBOOT_H

// How a boot loader starts a kernel: the Multiboot specification, version 0.6.96. GRUB, qemu
// -kernel and our own boot sector follow this specification. The kernel has a Multiboot header in
// its first 8 KB. The loader jumps to the physical entry point of the kernel's ELF file. At the
// entry, the CPU is in 32-bit protected mode, paging and interrupts are off, eax is
// MULTIBOOT_BOOTLOADER_MAGIC, and ebx is the physical address of a struct MultibootInfo.

#define MULTIBOOT_HEADER_MAGIC     0x1BADB002
#define MULTIBOOT_BOOTLOADER_MAGIC 0x2BADB002

// Flags of the header: what the kernel requests from the loader.
#define MULTIBOOT_PAGE_ALIGN  0x00000001
#define MULTIBOOT_MEMORY_INFO 0x00000002

// Flags of struct MultibootInfo: which members are valid.
#define MULTIBOOT_INFO_MEMORY      0x00000001 // mem_lower, mem_upper
#define MULTIBOOT_INFO_CMDLINE     0x00000004
#define MULTIBOOT_INFO_MMAP        0x00000040 // mmap_length, mmap_addr
#define MULTIBOOT_INFO_LOADER_NAME 0x00000200

// Offsets in struct MultibootInfo, for assembly code.
#define MULTIBOOT_FLAGS       0
#define MULTIBOOT_MEM_UPPER   8
#define MULTIBOOT_CMDLINE     16
#define MULTIBOOT_MMAP_LENGTH 44
#define MULTIBOOT_MMAP_ADDR   48

#define MULTIBOOT_MEMORY_AVAILABLE 1

#ifndef __ASSEMBLER__

#include <inc/types.h>

struct MultibootInfo {
	uint32_t flags;
	uint32_t mem_lower; // KB below 1 MB
	uint32_t mem_upper; // KB from 1 MB to the first hole
	uint32_t boot_device;
	uint32_t cmdline; // Physical address of a string
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr; // The memory map: size in bytes, physical address
	uint32_t drives_length, drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name; // Physical address of a string
};

// A range of physical addresses, as the BIOS reports it: int 15h, eax E820h (ACPI specification,
// section 15). The next MultibootRegion starts `size` bytes after the address of `base`.
struct MultibootRegion {
	uint32_t size; // Bytes in this structure, without this member: at least 20
	uint64_t base;
	uint64_t length;
	uint32_t type;
} __attribute__((packed));

#endif // !__ASSEMBLER__

#endif // JOS_INC_MULTIBOOT_H
