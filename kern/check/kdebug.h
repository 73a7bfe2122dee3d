#ifndef JOS_KERN_KDEBUG_H
#define JOS_KERN_KDEBUG_H

#include <inc/types.h>

struct Env;

// Print the frames of this CPU's kernel stack, from the frame at ebp to the outermost frame. If the
// stack is deep, only the frames at both ends are printed.
void kdebug_backtrace(uint32_t ebp);

// Print the source file, line and function of an address in the kernel.
void kdebug_print_kernel(uintptr_t eip);

// Return the name of the function that contains an address in the kernel; NULL if there is none.
const char *kdebug_function(uintptr_t eip);

// Print the name of e's program, and the name of the program's function that contains address eip.
void kdebug_print_user(const struct Env *e, uintptr_t eip);

#endif // JOS_KERN_KDEBUG_H
