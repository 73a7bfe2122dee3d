#ifndef JOS_KERN_FPU_H
#define JOS_KERN_FPU_H

#include <inc/env.h>
#include <inc/trap.h>

// Floating-point and SSE state (fpu.c). The caller holds the big lock.

// Make this CPU's floating-point unit trap at its first use.
void fpu_init_percpu(void);

// curenv used it, and got T_DEVICE: let it, with the state that is its own.
void fpu_trap(struct Trapframe *tf);

// e, which is or was curenv, leaves this CPU: keep its state, or if it is going
// away drop it.
void fpu_save(struct Env *e);
void fpu_drop(struct Env *e);

// Give child a copy of curenv's state. 0 or -E_NO_MEM.
int fpu_copy(struct Env *child);

#endif // JOS_KERN_FPU_H
