#ifndef JOS_KERN_KDEBUG_H
#define JOS_KERN_KDEBUG_H

#include <inc/types.h>

struct Env;
struct Trapframe;

// Print the frames of this CPU's kernel stack, from the frame at ebp to the outermost frame. If the
// stack is deep, only the frames at both ends are printed.
void kdebug_backtrace(uint32_t ebp);

// Print the source file, line and function of an address in the kernel.
void kdebug_print_kernel(uintptr_t eip);

// Return the name of the function that contains an address in the kernel; NULL if there is none.
const char *kdebug_function(uintptr_t eip);

// userdebug.c: print the name of e's program, and the function and source line where e is. tf has
// e's registers.
void kdebug_print_user(const struct Env *e, const struct Trapframe *tf);

// userdebug.c: print the frames of a program whose registers are in tf, from the innermost frame to
// the outermost. The frames are read from the program's own stack, without a fault.
void kdebug_backtrace_user(const struct Env *e, const struct Trapframe *tf);

#endif // JOS_KERN_KDEBUG_H
