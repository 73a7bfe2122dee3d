#ifndef JOS_KERN_CHALLENGE_FPU_H
#define JOS_KERN_CHALLENGE_FPU_H

#include <inc/types.h>

// The floating-point registers of environments (fpu.c). challenge.h declares the functions that the
// core calls.

// Initialize this CPU's floating-point unit. Each CPU calls it once.
void fpu_init_percpu(void);

// Handle curenv's first floating-point instruction since it came to this CPU (T_DEVICE): load its
// registers, so that the instruction can repeat. Returns false if there is no memory for them, and
// curenv must end. The caller holds the big lock.
bool fpu_trap(void);

#endif // JOS_KERN_CHALLENGE_FPU_H
