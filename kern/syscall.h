#ifndef JOS_KERN_SYSCALL_H
#define JOS_KERN_SYSCALL_H

#include <inc/env.h>
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

// The way in for the calls: called by sysentry.S with what is on the stack, from user mode.
// The number, the arguments and, when the caller runs again, the result are in tf's registers.
void syscall(struct Trapframe *tf);

// SYS_getenvid, which touches nothing but the caller, and needs no lock. Called by sysentry.S.
envid_t syscall_getenvid(void);

#endif // JOS_KERN_SYSCALL_H
