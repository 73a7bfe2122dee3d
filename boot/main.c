#include <inc/elf.h>
#include <inc/multiboot.h>
#include <boot/boot.h>

// The boot sector's C part: load the kernel's ELF segments, and enter the kernel. boot.S jumps to
// boot_main in 32-bit protected mode, with paging and interrupts off. The functions that boot_main
// calls are in boot.S, too.
//
// This code checks only two things: the disk holds an ELF file, and the machine has memory for the
// file's segments. tools/build/mkimage.py checks everything else before it writes the disk image:
//
// - The program headers are valid, and they are in the first BOOT_HEADERS bytes of the file.
// - All segments are above 1 MB.
// - read_file, which also overwrites memory around a segment, never overwrites an earlier segment.

// Set `size` bytes of memory to zero, from pa on.
static inline void
clear(physaddr_t pa, uint32_t size)
{
	__asm__ volatile("rep stosb" : "+D"(pa), "+c"(size) : "a"(0) : "memory");
}

__attribute__((noreturn)) static inline void
enter_kernel(const struct Elf *elf)
{
	const uint32_t magic = MULTIBOOT_BOOTLOADER_MAGIC;

	__asm__ volatile("jmp *%0" : : "m"(elf->e_entry), "a"(magic), "b"(BOOT_INFO) : "memory");
	__builtin_unreachable();
}

void boot_main(void) __attribute__((noreturn));

void
boot_main(void)
{
	const struct Elf *elf = (const struct Elf *)BOOT_ELFHDR;

	// The offset is negative because the command line's sector is just before the file. One
	// read loads this sector and the file's headers.
	read_file(BOOT_CMDLINE, -BOOT_SECTSIZE, BOOT_SECTSIZE + BOOT_HEADERS);
	if (elf->e_magic != ELF_MAGIC)
		fail("not an ELF");

	const struct Proghdr *ph = (const struct Proghdr *)(BOOT_ELFHDR + elf->e_phoff);
	int left = elf->e_phnum;
	do {
		if (ph->p_type == ELF_PROG_LOAD) {
			check_memory(ph->p_pa, ph->p_memsz);
			read_file(ph->p_pa, ph->p_offset, ph->p_filesz);
			clear(ph->p_pa + ph->p_filesz, ph->p_memsz - ph->p_filesz);
		}
		ph++;
	} while (--left);

	enter_kernel(elf);
}
