#ifndef JOS_KERN_CHALLENGE_FPU_H
#define JOS_KERN_CHALLENGE_FPU_H

#include <inc/env.h>
#include <inc/trap.h>

// The floating-point registers of environments (fpu.c). challenge.h declares what the core calls.

// Initialize this CPU's floating-point unit. Each CPU calls it once.
void fpu_init_percpu(void);

// Handle curenv's first floating-point instruction since it came to this CPU (T_DEVICE). The
// instruction repeats with curenv's registers loaded; if there is no memory for them, curenv is
// destroyed. The caller holds the big lock.
void fpu_trap(struct Trapframe *tf);

#endif // JOS_KERN_CHALLENGE_FPU_H
