#ifndef JOS_KERN_UPCALL_H
#define JOS_KERN_UPCALL_H

#include <inc/trap.h>

// Make curenv, which has trapped, continue at `upcall`, with a struct UTrapframe on its exception
// stack (upcall.c). If this frame does not fit on the stack, or if curenv cannot write there,
// destroy curenv. The caller holds the big lock.
void upcall_enter(struct Trapframe *tf, void *upcall, uint32_t fault_va);

#endif // JOS_KERN_UPCALL_H
