#ifndef JOS_KERN_PROGRAMS_H
#define JOS_KERN_PROGRAMS_H

#include <inc/types.h>

// A user program that is a part of the kernel's image. obj/kern/programs.S, which kern/Makefrag
// makes, has one of these for each program: first those in user/, then those in its folders.
struct Program {
	const char *name;
	const char *folder;   // of its source: "user", "user/bench", ...
	const uint8_t *image; // An ELF, as the linker left it
	size_t size;          // in bytes
};

extern const struct Program programs[], programs_end[];

// The program that `words`, NAME or NAME,ARGUMENT,... of len characters, names, or NULL.
const struct Program *program_find(const char *words, size_t len);

#endif // JOS_KERN_PROGRAMS_H
