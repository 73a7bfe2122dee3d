#ifndef JOS_KERN_KDEBUG_H
#define JOS_KERN_KDEBUG_H

#include <inc/types.h>

struct Env;

// Print the frames of this CPU's kernel stack, from the one at ebp outwards; of a deep
// one, those at both ends.
void kdebug_backtrace(uint32_t ebp);

// Print where in the kernel's sources an address is.
void kdebug_print_kernel(uintptr_t eip);

// Print which program e runs, and in which function of it an address is.
void kdebug_print_user(const struct Env *e, uintptr_t eip);

#endif // JOS_KERN_KDEBUG_H
