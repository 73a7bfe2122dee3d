#ifndef JOS_KERN_ELF_H
#define JOS_KERN_ELF_H

#include <inc/elf.h>

// Reading ELF images that may be damaged or malicious (elf.c, check/elfsyms.c). These functions
// read only the image, so they are also tested on the host.

#define ELF_MAX_SEGMENTS 16

struct ElfProgram {
	uint32_t entry;
	int nsegments;
	struct Proghdr segments[ELF_MAX_SEGMENTS]; // The segments to load
};

// Return whether len bytes at offset lie within size bytes.
static inline bool
elf_within(uint32_t offset, uint32_t len, uint32_t size)
{
	return offset <= size && len <= size - offset;
}

// Check an image of size bytes as a program that is to be loaded at addresses from low to high - 1.
// Returns NULL and fills in *program, or returns a text that says what is wrong with the image.
const char *elf_check(
    const uint8_t *image, size_t size, uint32_t low, uint32_t high, struct ElfProgram *program);

// Return the name of the function that contains va, from the image's symbol table, and store its
// distance from the function's start in *offset. Returns NULL if no function is known there.
const char *elf_function_at(const uint8_t *image, size_t size, uint32_t va, uint32_t *offset);

#endif // JOS_KERN_ELF_H
