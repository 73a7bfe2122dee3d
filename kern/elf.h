#ifndef JOS_KERN_ELF_H
#define JOS_KERN_ELF_H

#include <inc/elf.h>

// Functions that read ELF images (elf.c, check/elfsyms.c). An image may be damaged or malicious.
// The functions access only the image, so tests can run them on the host.

#define ELF_MAX_SEGMENTS 16

struct ElfProgram {
	uint32_t entry;
	int nsegments;
	struct Proghdr segments[ELF_MAX_SEGMENTS]; // The segments to load
};

// Return whether the len bytes at offset are inside an area of size bytes.
static inline bool
elf_within(uint32_t offset, uint32_t len, uint32_t size)
{
	return offset <= size && len <= size - offset;
}

// Check that an image of size bytes is a program that can be loaded from address low up to, but not
// including, high. On success, fills in *program and returns NULL. Otherwise returns an error text.
const char *elf_check(
    const uint8_t *image, size_t size, uint32_t low, uint32_t high, struct ElfProgram *program);

// Return the name of the function that contains va, according to the image's symbol table, and set
// *offset to va's distance from the function's start. Returns NULL if no function contains va.
const char *elf_function_at(const uint8_t *image, size_t size, uint32_t va, uint32_t *offset);

#endif // JOS_KERN_ELF_H
