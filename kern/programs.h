#ifndef JOS_KERN_PROGRAMS_H
#define JOS_KERN_PROGRAMS_H

#include <inc/types.h>

// A user program in the kernel's image. kern/Makefrag writes obj/kern/programs.S, which defines the
// array programs[]: first the programs in user/, then the programs in its subfolders.
struct Program {
	const char *name;
	const char *folder;            // The folder of the source file: "user", "user/bench", ...
	const uint8_t *image;          // The program's ELF file
	size_t size;                   // Size of the ELF file, in bytes
	const struct LineTable *lines; // The lines of its source: check/userdebug.c
};

extern const struct Program programs[], programs_end[];

// Return the program called NAME, or NULL. `words` (len characters) is NAME or NAME,ARGUMENT,...
const struct Program *program_find(const char *words, size_t len);

#endif // JOS_KERN_PROGRAMS_H
