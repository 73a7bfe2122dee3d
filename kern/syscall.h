#ifndef JOS_KERN_SYSCALL_H
#define JOS_KERN_SYSCALL_H

#include <inc/syscall.h>
#include <inc/trap.h>
#include <inc/types.h>

// Execute the system call that the registers in tf describe: number in eax, arguments in edx, ecx,
// ebx, edi, esi. Stores the result in tf's eax. The caller holds the big lock.
void syscall(struct Trapframe *tf);
void syscall_fast(struct Trapframe *tf); // Called without the lock by challenge/sysentry.S

// The functions of the system calls, indexed by number. Each function is called with five
// arguments, although it may declare fewer: arguments are words on the stack, and the caller of a
// function removes them.
typedef int32_t (*syscall_fn)(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);
extern const syscall_fn syscall_table[];

#endif // JOS_KERN_SYSCALL_H
