#include <inc/elf.h>
#include <inc/multiboot.h>
#include <boot/boot.h>

// The boot sector's C part: load the kernel's ELF segments, and enter the kernel. boot.S jumps to
// boot_main in 32-bit protected mode, with paging and interrupts off, and defines the functions
// that boot_main calls.
//
// Only two things are checked here: that the disk holds an ELF file, and that the machine has
// memory for its segments. tools/build/mkimage.py checked the rest when it wrote the disk: the file
// has program headers, in its first BOOT_HEADERS bytes; the program headers are valid; the segments
// are above 1 MB; and no segment is overwritten by what read_file writes around a later segment.

// Set `size` bytes from pa on to zero.
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

	// Read the command line's sector, which is just before the file, and the file's headers.
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
