#ifndef JOS_KERN_CHALLENGE_CHALLENGE_H
#define JOS_KERN_CHALLENGE_CHALLENGE_H

// All functions of this folder that the core of the kernel calls. The folder has answers to the
// lab's challenges, and fast paths. A reader of the core can skip it: `make CHALLENGES=` builds the
// kernel without this folder and with the empty functions at the end of this file.

#include <inc/env.h>
#include <inc/syscall.h>
#include <inc/types.h>

#ifdef CHALLENGES

// sysenter.c: set up the faster ways into the kernel for system calls. trap_init calls
// challenge_init. i386_init and mp_main call challenge_init_percpu, once on each CPU; it also
// initializes the CPU's floating-point unit.
void challenge_init(void);
void challenge_init_percpu(int cpu);

// exceptions.c: handle a trap from user mode other than a page fault, if the program has a handler
// for it, or if it is the first use of the floating-point unit. Otherwise returns false, and the
// caller destroys the program. Called by trap_dispatch with the big lock.
bool challenge_trap(struct Trapframe *tf);

// sysenter.c: handle a trap from kernel mode, if it is a single step at the entry of sysenter.
// Otherwise returns false. Called by trap_from_kernel without the lock.
bool challenge_kernel_trap(struct Trapframe *tf);

// fpu.c: an environment's floating-point registers. The caller holds the big lock.
// fpu_save: e leaves this CPU. Called by env_save.
// fpu_drop: e is destroyed. Called by env_free.
// fpu_copy: copy curenv's registers to a new child. Returns 0 or -E_NO_MEM. Called by sys_exofork.
void fpu_save(struct Env *e);
void fpu_drop(struct Env *e);
int fpu_copy(struct Env *child);

// ipcsend.c: the part of sys_ipc_recv for a caller to which environments wait to send: see ipc.h.
// Returns the call's result. Called with the big lock.
int ipc_receive_waiting(struct Env *to, void *dstva);

static inline bool
ipc_senders_wait(const struct Env *to)
{
	return to->env_ipc_senders.head != NULL;
}

// The system calls, for the table in syscall.c: ipcsend.c, exceptions.c, batch.c.
int sys_ipc_send(envid_t to, uint32_t value, void *srcva, int perm);
int sys_ipc_call(envid_t to, uint32_t value, void *srcva, int perm, void *dstva);
int sys_env_set_exception_upcall(envid_t envid, uint32_t trapno, void *upcall);
int sys_batch(struct BatchCall *calls, size_t n, int flags);

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
fpu_drop(struct Env *e)
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

#endif // JOS_KERN_CHALLENGE_CHALLENGE_H
