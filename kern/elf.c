// Checks of a program's ELF image before the program is loaded. Any offset or size in the image may
// be wrong. Do not add two unchecked numbers, because the sum could wrap around (see elf_within).

#include <inc/string.h>

#include <kern/elf.h>

static const char *
check_header(const struct Elf *elf, size_t size)
{
	if (elf->e_magic != ELF_MAGIC)
		return "not an ELF";
	if (elf->e_class != ELF_CLASS32 || elf->e_data != ELF_DATA2LSB)
		return "not 32-bit little-endian";
	if (elf->e_ident_version != ELF_VERSION || elf->e_version != ELF_VERSION)
		return "unknown ELF version";
	if (elf->e_type != ELF_TYPE_EXEC)
		return "not an executable";
	if (elf->e_machine != ELF_MACH_386)
		return "not for this processor";
	if (elf->e_ehsize < sizeof(*elf))
		return "header too short";
	if (elf->e_phnum == 0)
		return "no program headers";
	if (elf->e_phentsize != sizeof(struct Proghdr))
		return "program headers of a wrong size";
	if (!elf_within(elf->e_phoff, elf->e_phnum * sizeof(struct Proghdr), size))
		return "program headers beyond the end of the file";
	return NULL;
}

static const char *
check_segment(const struct Proghdr *ph, size_t size, uint32_t low, uint32_t high)
{
	if (ph->p_filesz > ph->p_memsz)
		return "segment larger in the file than in memory";
	if (!elf_within(ph->p_offset, ph->p_filesz, size))
		return "segment beyond the end of the file";
	if (ph->p_va < low || !elf_within(ph->p_va - low, ph->p_memsz, high - low))
		return "segment outside of the program's memory";
	if (ph->p_align & (ph->p_align - 1))
		return "segment alignment is not a power of two";
	if (ph->p_align > 1 && (ph->p_va - ph->p_offset) % ph->p_align != 0)
		return "segment not aligned as it says";
	return NULL;
}

static bool
overlap(const struct Proghdr *a, const struct Proghdr *b)
{
	return a->p_va < b->p_va + b->p_memsz && b->p_va < a->p_va + a->p_memsz;
}

static bool
entry_is_code(const struct ElfProgram *program)
{
	for (int i = 0; i < program->nsegments; i++) {
		const struct Proghdr *ph = &program->segments[i];
		if ((ph->p_flags & ELF_PROG_FLAG_EXEC) && program->entry >= ph->p_va &&
		    program->entry - ph->p_va < ph->p_filesz)
			return true;
	}
	return false;
}

const char *
elf_check(
    const uint8_t *image, size_t size, uint32_t low, uint32_t high, struct ElfProgram *program)
{
	struct Elf elf;
	const char *wrong;

	if (size < sizeof(elf))
		return "too short for an ELF";
	memcpy(&elf, image, sizeof(elf)); // The image need not be aligned.
	if ((wrong = check_header(&elf, size)))
		return wrong;

	program->entry = elf.e_entry;
	program->nsegments = 0;
	for (int i = 0; i < elf.e_phnum; i++) {
		struct Proghdr ph;
		memcpy(&ph, image + elf.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type != ELF_PROG_LOAD || ph.p_memsz == 0)
			continue;
		if ((wrong = check_segment(&ph, size, low, high)))
			return wrong;
		for (int j = 0; j < program->nsegments; j++) {
			if (overlap(&ph, &program->segments[j]))
				return "overlapping segments";
		}
		if (program->nsegments == ELF_MAX_SEGMENTS)
			return "too many segments";
		program->segments[program->nsegments++] = ph;
	}
	if (!entry_is_code(program))
		return "entry point outside of the code";
	return NULL;
}
