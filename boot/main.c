#include <inc/elf.h>
#include <inc/multiboot.h>
#include <boot/boot.h>

// The boot sector's second half: load the kernel as its ELF program headers say,
// and enter it. boot.S, which has the means for that, jumps to boot_main in 32-bit
// mode, without paging, interrupts off.
//
// Here it shows whether there is an ELF file on the disk and whether this machine
// has memory where its segments go. All else that the code below takes for granted
// tools/mkimage.py has checked, which put the file there: that there are program
// headers, in the first BOOT_HEADERS bytes, that they are right, that segments lie
// above 1 MB, and that none is hurt by what read_file writes around a later one.

// Fill size bytes from pa on with zeros.
static inline void
clear(physaddr_t pa, uint32_t size)
{
	__asm__ volatile("rep stosb" : "+D"(pa), "+c"(size) : "a"(0) : "memory");
}

__attribute__((noreturn)) static inline void
enter_kernel(const struct Elf *elf)
{
	__asm__ volatile("jmp *%0"
			 :
			 : "m"(elf->e_entry), "a"(MULTIBOOT_BOOTLOADER_MAGIC), "b"(BOOT_INFO)
			 : "memory");
	__builtin_unreachable();
}

void boot_main(void) __attribute__((noreturn));

void
boot_main(void)
{
	const struct Elf *elf = (const struct Elf *)BOOT_ELFHDR;

	// The command line's sector, right before the file, and the file's beginning.
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
