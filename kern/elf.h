#ifndef JOS_KERN_ELF_H
#define JOS_KERN_ELF_H

#include <inc/elf.h>

// Reading ELF images that may be damaged, or made to do damage (elf.c). These
// functions look at nothing but the image, so they are tested on the host.

#define ELF_MAX_SEGMENTS 16

struct ElfProgram {
	uint32_t entry;
	int nsegments;
	struct Proghdr segments[ELF_MAX_SEGMENTS]; // The loadable ones
};

// Check an image of size bytes as a program to be loaded at addresses from low up
// to, not including, high. NULL if it is one, and *program tells what to load; else
// what is wrong with it, in words.
const char *elf_check(const uint8_t *image, size_t size, uint32_t low, uint32_t high,
    struct ElfProgram *program);

// The name of the function at va in the image's symbol table, and in *offset how
// far into it va is. NULL if there is none.
const char *elf_function_at(const uint8_t *image, size_t size, uint32_t va, uint32_t *offset);

#endif // JOS_KERN_ELF_H
