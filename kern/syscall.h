#ifndef JOS_KERN_SYSCALL_H
#define JOS_KERN_SYSCALL_H

#include <inc/syscall.h>
#include <inc/trap.h>
#include <inc/types.h>

// Execute the system call that tf describes: eax holds the number, and edx, ecx, ebx, edi, esi hold
// the arguments. Stores the result in tf's eax. The caller holds the big lock.
void syscall(struct Trapframe *tf);
void syscall_fast(struct Trapframe *tf); // challenge/sysentry.S calls it, without the lock.

// The functions of the system calls, indexed by number. Every function is called with five
// arguments, even if it has fewer parameters. This is safe: the arguments are words on the stack,
// and the caller removes them.
typedef int32_t (*syscall_fn)(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);
extern const syscall_fn syscall_table[];

#endif // JOS_KERN_SYSCALL_H
