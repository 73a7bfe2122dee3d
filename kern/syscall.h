#ifndef JOS_KERN_SYSCALL_H
#define JOS_KERN_SYSCALL_H

#include <inc/env.h>
#include <inc/syscall.h>
#include <inc/trap.h>
#include <inc/types.h>

// Whether a user may map something at va, and with these permissions.
bool user_va_ok(const void *va);
bool user_perm_ok(int perm);

// Carry out a call of curenv's: its number, its arguments and, afterwards, its result are in
// tf's registers. Then curenv may be NULL, or not RUNNING any more. The caller holds the big
// lock.
void syscall(struct Trapframe *tf);

// SYS_getenvid, which touches nothing but the caller, and needs no lock. Called by sysentry.S.
envid_t syscall_getenvid(void);

#endif // JOS_KERN_SYSCALL_H
