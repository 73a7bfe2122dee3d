// ELF images, checked before they are believed. Sizes and offsets from an image are
// compared by subtraction from what is known to be in range, so that no sum of them
// can wrap around.

#include <inc/string.h>

#include <kern/elf.h>

// Whether len bytes at offset lie in an image, or any other extent, of size bytes.
static bool
within(uint32_t offset, uint32_t len, uint32_t size)
{
	return offset <= size && len <= size - offset;
}

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
	if (!within(elf->e_phoff, elf->e_phnum * sizeof(struct Proghdr), size))
		return "program headers beyond the end of the file";
	return NULL;
}

static const char *
check_segment(const struct Proghdr *ph, size_t size, uint32_t low, uint32_t high)
{
	if (ph->p_filesz > ph->p_memsz)
		return "segment larger in the file than in memory";
	if (!within(ph->p_offset, ph->p_filesz, size))
		return "segment beyond the end of the file";
	if (ph->p_va < low || !within(ph->p_va - low, ph->p_memsz, high - low))
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

// Section i's header, if it is of that type, and what it describes lies in the image.
static bool
read_section(const uint8_t *image, size_t size, const struct Elf *elf, uint32_t i, uint32_t type,
    struct Secthdr *sh)
{
	if (i >= elf->e_shnum || elf->e_shentsize != sizeof(*sh) ||
	    !within(elf->e_shoff, elf->e_shnum * sizeof(*sh), size))
		return false;
	memcpy(sh, image + elf->e_shoff + i * sizeof(*sh), sizeof(*sh));
	return sh->sh_type == type && within(sh->sh_offset, sh->sh_size, size);
}

// The last function of a symbol table to start at or before va, if va can be in it.
static bool
search_symbols(const uint8_t *table, size_t size, uint32_t va, struct Sym *found)
{
	struct Sym sym;
	bool any = false;

	*found = (struct Sym){ 0 };
	for (size_t at = 0; size - at >= sizeof(sym); at += sizeof(sym)) {
		memcpy(&sym, table + at, sizeof(sym));
		if (ELF_STT(sym.st_info) != ELF_STT_FUNC || sym.st_value > va)
			continue;
		if (!any || sym.st_value >= found->st_value) {
			*found = sym;
			any = true;
		}
	}
	return any && (found->st_size == 0 || va - found->st_value < found->st_size);
}

const char *
elf_function_at(const uint8_t *image, size_t size, uint32_t va, uint32_t *offset)
{
	struct Elf elf;
	struct Secthdr symtab, strtab;
	struct Sym sym;

	if (size < sizeof(elf))
		return NULL;
	memcpy(&elf, image, sizeof(elf));
	for (uint32_t i = 0; i < elf.e_shnum; i++) {
		if (!read_section(image, size, &elf, i, ELF_SHT_SYMTAB, &symtab))
			continue;
		if (!read_section(image, size, &elf, symtab.sh_link, ELF_SHT_STRTAB, &strtab) ||
		    !search_symbols(image + symtab.sh_offset, symtab.sh_size, va, &sym) ||
		    sym.st_name >= strtab.sh_size)
			return NULL;
		// The name must end before its table does.
		const char *name = (const char *)image + strtab.sh_offset + sym.st_name;
		size_t room = strtab.sh_size - sym.st_name;
		if (strnlen(name, room) == room)
			return NULL;
		*offset = va - sym.st_value;
		return name;
	}
	return NULL;
}
