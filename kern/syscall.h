#ifndef JOS_KERN_SYSCALL_H
#define JOS_KERN_SYSCALL_H

#include <inc/syscall.h>
#include <inc/trap.h>
#include <inc/types.h>

// Whether a user may map something at va, and with these permissions.
bool user_va_ok(const void *va);
bool user_perm_ok(int perm);

// A call's function takes as many arguments as it declares. All of them are words
// on the stack, which the caller takes off again, so calling each with five is
// right: those that it does not declare it does not see.
typedef int32_t (*syscall_fn)(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);

extern const syscall_fn syscall_table[NSYSCALLS];

// Carry out a call of curenv's: its number, its arguments and, afterwards, its result are in
// regs. Then curenv may be NULL, or not RUNNING any more. The caller holds the big lock.
void syscall(struct PushRegs *regs);

// Carry out a call that touches the caller alone, without the big lock, if this is one:
// true, and the result is in eax. Else nothing has happened.
bool syscall_alone(struct PushRegs *regs);

#endif // JOS_KERN_SYSCALL_H
