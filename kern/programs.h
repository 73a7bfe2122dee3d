#ifndef JOS_KERN_PROGRAMS_H
#define JOS_KERN_PROGRAMS_H

#include <inc/types.h>

// A user program in the kernel's image. kern/Makefrag writes obj/kern/programs.S, which has one
// struct Program per program: first the programs in user/, then those in its subfolders.
struct Program {
	const char *name;
	const char *folder;   // The folder of its source: "user", "user/bench", ...
	const uint8_t *image; // The ELF file
	size_t size;          // Length of image, in bytes
};

extern const struct Program programs[], programs_end[];

// Return the program called NAME, or NULL. words, of len characters, is NAME or NAME,ARGUMENT,...
const struct Program *program_find(const char *words, size_t len);

#endif // JOS_KERN_PROGRAMS_H
