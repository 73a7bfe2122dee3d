#ifndef JOS_KERN_CHALLENGE_CHALLENGE_H
#define JOS_KERN_CHALLENGE_CHALLENGE_H

// This header declares all functions of this folder that the core of the kernel calls. The folder
// has answers to the lab's challenges, and fast paths. A reader of the core can skip this folder:
// `make CHALLENGES=` builds the kernel without this folder and with the empty functions at the end
// of this file.

#include <inc/env.h>
#include <inc/syscall.h>
#include <inc/types.h>

#include <kern/runq.h>

#ifdef CHALLENGES

// sysenter.c: set up the faster entry points for system calls. trap_init calls challenge_init.
// i386_init and mp_main call challenge_init_percpu, once on each CPU. challenge_init_percpu also
// initializes the CPU's floating-point unit.
void challenge_init(void);
void challenge_init_percpu(int cpu);

// exceptions.c: handle a trap from user mode that is not a page fault. There are two cases: the
// program has a handler for the trap, or the trap is the first use of the floating-point unit.
// Returns false if the trap was not handled; the caller then destroys the program. trap_dispatch
// calls challenge_trap with the big lock held.
bool challenge_trap(struct Trapframe *tf);

// sysenter.c: handle a trap from kernel mode, if the trap is a single step at the entry point of
// sysenter. Returns false for any other trap. trap_from_kernel calls challenge_kernel_trap without
// the big lock.
bool challenge_kernel_trap(struct Trapframe *tf);

// fpu.c: an environment's floating-point registers. The caller holds the big lock. env_save calls
// fpu_save to save e's registers when e leaves this CPU. make_dying (env.c) calls fpu_discard to
// discard e's registers when e is destroyed. sys_exofork calls fpu_copy to copy curenv's registers
// to a new child. fpu_copy returns 0 or -E_NO_MEM.
void fpu_save(struct Env *e);
void fpu_discard(struct Env *e);
int fpu_copy(struct Env *child);

// ipcsend.c: the part of sys_ipc_recv for a receiver with waiting senders. ipc_receive in ipc.h
// calls ipc_receive_waiting with the big lock held. Returns the result of sys_ipc_recv.
int ipc_receive_waiting(struct Env *to, void *dstva);

static inline bool
ipc_senders_wait(const struct Env *to)
{
	return to->env_ipc_senders.head != NULL;
}

// The system calls of ipcsend.c, exceptions.c and batch.c, for the table in syscall.c
int sys_ipc_send(envid_t to, uint32_t value, void *srcva, int perm);
int sys_ipc_call(envid_t to, uint32_t value, void *srcva, int perm, void *dstva);
int sys_env_set_exception_upcall(envid_t envid, uint32_t trapno, void *upcall);
int sys_batch(struct BatchCall *calls, size_t n, int flags);

// stride.c: another way to choose the next environment, and the system call for it. Returns the
// slot, or -1 if no environment is runnable. challenge_next calls stride_first with the big lock
// held.
int stride_first(void);
int sys_env_set_tickets(envid_t envid, uint32_t tickets);

#else

static inline void
challenge_init(void)
{
}
static inline void
challenge_init_percpu(int cpu)
{
}
static inline bool
challenge_trap(struct Trapframe *tf)
{
	return false;
}
static inline bool
challenge_kernel_trap(struct Trapframe *tf)
{
	return false;
}
static inline void
fpu_save(struct Env *e)
{
}
static inline void
fpu_discard(struct Env *e)
{
}
static inline int
fpu_copy(struct Env *child)
{
	return 0;
}
static inline bool
ipc_senders_wait(const struct Env *to)
{
	return false;
}
static inline int
ipc_receive_waiting(struct Env *to, void *dstva)
{
	return 0;
}

#endif

// Choose the slot that gets the next turn. Round robin searches from `slot` on. sched_yield calls
// challenge_next. Only a kernel built with DEFS=-DSTRIDE chooses differently.
static inline int
challenge_next(uint32_t slot)
{
#if defined(CHALLENGES) && defined(STRIDE)
	return stride_first();
#else
	return runq_first(slot);
#endif
}

#endif // JOS_KERN_CHALLENGE_CHALLENGE_H
