#ifndef JOS_KERN_SYSCALL_H
#define JOS_KERN_SYSCALL_H

#include <inc/syscall.h>
#include <inc/trap.h>
#include <inc/types.h>

// Make the system call that is described by the registers in tf: number in eax, arguments in edx,
// ecx, ebx, edi, esi. Stores the result in tf's eax. The caller holds the big lock.
void syscall(struct Trapframe *tf);
void syscall_fast(struct Trapframe *tf); // From challenge/sysentry.S: without the lock

// The functions of the calls, by number. Each is called with five arguments, though it may declare
// fewer: arguments are words on the stack, and the caller of a function removes them.
typedef int32_t (*syscall_fn)(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);
extern const syscall_fn syscall_table[];

#endif // JOS_KERN_SYSCALL_H
