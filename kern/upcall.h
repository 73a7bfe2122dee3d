#ifndef JOS_KERN_UPCALL_H
#define JOS_KERN_UPCALL_H

#include <inc/trap.h>

// Exceptions that a program handles itself (upcall.c). The caller holds the big lock.

// Whether a program may handle the exceptions of a vector.
bool upcall_possible(uint32_t trapno);

// Make curenv, which trapped, go on at upcall, with the exception described on its
// exception stack. If that cannot be, it is destroyed.
void upcall_enter(struct Trapframe *tf, void *upcall, uint32_t fault_va);

#endif // JOS_KERN_UPCALL_H
