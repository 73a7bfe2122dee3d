#ifndef JOS_KERN_SYSCALL_H
#define JOS_KERN_SYSCALL_H

#include <inc/syscall.h>
#include <inc/trap.h>
#include <inc/types.h>

// Whether a user may map something at va, and with these permissions.
bool user_va_ok(const void *va);
bool user_perm_ok(int perm);

// Carry out a call of curenv's: its number, its arguments and, afterwards, its result are in
// regs. Then curenv may be NULL, or not RUNNING any more. The caller holds the big lock.
void syscall(struct PushRegs *regs);

// Carry out a call that touches the caller alone, without the big lock: SYS_getenvid or
// SYS_yield. Returns its result; or ~number, if it needs the lock after all, and then
// nothing has happened. Called by sysentry.S, with user memory neither read nor written.
__attribute__((regparm(1))) int32_t syscall_alone(uint32_t number);

#endif // JOS_KERN_SYSCALL_H
