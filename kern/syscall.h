#ifndef JOS_KERN_SYSCALL_H
#define JOS_KERN_SYSCALL_H

#include <inc/env.h>
#include <inc/memlayout.h>
#include <inc/syscall.h>
#include <inc/trap.h>
#include <inc/types.h>

#include <kern/env.h>

// Make the system call that is described by the registers in tf: number in eax, arguments in edx,
// ecx, ebx, edi, esi. Stores the result in tf's eax. The caller holds the big lock.
void syscall(struct Trapframe *tf);
void syscall_fast(struct Trapframe *tf); // From challenge/sysentry.S: without the lock

// The functions of the calls, by number. Each is called with five arguments, though it may declare
// fewer: arguments are words on the stack, and the caller of a function removes them.
typedef int32_t (*syscall_fn)(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);
extern const syscall_fn syscall_table[];

// ipc.c
int sys_ipc_try_send(envid_t to, uint32_t value, void *srcva, int perm);
int sys_ipc_recv(void *dstva);

// challenge/ipcsend.c, challenge/exceptions.c, challenge/batch.c
int sys_ipc_send(envid_t to, uint32_t value, void *srcva, int perm);
int sys_ipc_call(envid_t to, uint32_t value, void *srcva, int perm, void *dstva);
int sys_env_set_exception_upcall(envid_t envid, uint32_t trapno, void *upcall);
int sys_batch(struct BatchCall *calls, size_t n, int flags);

// ---- Checks of arguments ----

// Return whether a program may map a page at va: below UTOP, and on a page boundary.
static inline bool
user_va_ok(const void *va)
{
	return (uintptr_t)va < UTOP && PGOFF(va) == 0;
}

// Return whether a program may map a page with these permissions: PTE_P and PTE_U, and no bit
// outside PTE_SYSCALL.
static inline bool
user_perm_ok(int perm)
{
	return (perm & (PTE_U | PTE_P)) == (PTE_U | PTE_P) && !(perm & ~PTE_SYSCALL);
}

// Return the environment that an argument of caller's names, which is mostly the caller itself.
// NULL if it does not exist or the caller has no rights over it.
static inline struct Env *
env_named(struct Env *caller, envid_t envid)
{
	struct Env *e;

	if (envid == 0)
		return caller;
	return envid2env(envid, &e, true) < 0 ? NULL : e;
}

#endif // JOS_KERN_SYSCALL_H
