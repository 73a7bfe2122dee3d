// Look up a function in the symbol table of a program's ELF image. kdebug.c uses this file to print
// the name of the function that faulted.

#include <inc/string.h>

#include <kern/elf.h>

// Copy the header of section i to *sh. Returns whether the section has this type and its contents
// are within the image.
static bool
read_section(const uint8_t *image, size_t size, const struct Elf *elf, uint32_t i, uint32_t type,
    struct Secthdr *sh)
{
	if (i >= elf->e_shnum || elf->e_shentsize != sizeof(*sh) ||
	    !elf_within(elf->e_shoff, elf->e_shnum * sizeof(*sh), size))
		return false;
	memcpy(sh, image + elf->e_shoff + i * sizeof(*sh), sizeof(*sh));
	return sh->sh_type == type && elf_within(sh->sh_offset, sh->sh_size, size);
}

// Of all functions that start at or below va, find the function with the highest start address.
// Returns whether va is inside this function. If the size in the symbol is 0, the function's size
// is unknown, and the result is true.
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
		// The name must end inside the string table.
		const char *name = (const char *)image + strtab.sh_offset + sym.st_name;
		size_t room = strtab.sh_size - sym.st_name;
		if (strnlen(name, room) == room)
			return NULL;
		*offset = va - sym.st_value;
		return name;
	}
	return NULL;
}
