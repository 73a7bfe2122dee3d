#ifndef JOS_KERN_CHALLENGE_FPU_H
#define JOS_KERN_CHALLENGE_FPU_H

#include <inc/types.h>

// The floating-point registers of environments (fpu.c). challenge.h declares the functions that the
// core calls.

// Initialize this CPU's floating-point unit. Called once on each CPU.
void fpu_init_percpu(void);

// Handle T_DEVICE, the trap at curenv's first floating-point instruction since curenv started to
// run on this CPU. Loads curenv's floating-point registers, so that the CPU can repeat the
// instruction. Returns false if there is no memory for the registers; the caller must then destroy
// curenv. The caller holds the big lock.
bool fpu_trap(void);

#endif // JOS_KERN_CHALLENGE_FPU_H
