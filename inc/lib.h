#ifndef JOS_INC_LIB_H
#define JOS_INC_LIB_H

// Everything that a user program may use. A program starts at umain.

#include <inc/types.h>
#include <inc/stdio.h>
#include <inc/stdarg.h>
#include <inc/string.h>
#include <inc/error.h>
#include <inc/assert.h>
#include <inc/env.h>
#include <inc/memlayout.h>
#include <inc/syscall.h>
#include <inc/trap.h>
#include <inc/x86.h>

#define USED(x) (void)(x)

void umain(int argc, char **argv);

// ---- lib/libmain.c, lib/entry.S, lib/exit.c ----

extern const char *binaryname;                 // This program's name
extern const volatile struct Env *thisenv;     // This environment
extern const volatile struct Env envs[NENV];   // All environments
extern const volatile struct PageInfo pages[]; // All physical pages

void exit(void) __attribute__((noreturn));

// ---- lib/pgfault.c ----

// Set the handler of this program's page faults. The handler runs on the exception stack, the page
// below UXSTACKTOP. When the handler returns, the program continues with the registers in *utf.
// Floating-point and SSE registers are not saved: if the handler changes them, the program finds
// them changed. If handler is NULL, the kernel destroys the program at a page fault, as before.
// Panics if there is no memory for the exception stack.
void set_pgfault_handler(void (*handler)(struct UTrapframe *utf));

// The same for another exception, for example T_DIVIDE. The handler finds the vector in
// utf_fault_va. Returns 0, -E_NO_MEM, or -E_INVAL if programs cannot handle this exception.
int set_exception_handler(uint32_t trapno, void (*handler)(struct UTrapframe *utf));

// The upcall that the kernel starts at a page fault: lib/pfentry.S.
void _pgfault_upcall(void);

// ---- lib/fork.c ----

// Make a child that is a copy of this environment. Returns the child's id, and 0 in the child.
// Returns an error (-E_NO_FREE_ENV, -E_NO_MEM) if there is no child; then nothing has changed.
// Pages that are mapped with PTE_SHARE are shared, not copied.
//
// sfork: the child shares all memory that is mapped at the time of the call, except the stack and
// thisenv, which are copied. Pages that are shared by sfork stay shared: a later sfork shares them
// with one more child; a later fork gives its child a copy. (While that fork copies a page, another
// environment may write to the page: then the child's copy may contain only a part of the write.)
envid_t fork(void);
envid_t sfork(void);

// ---- lib/challenge/forkbatch.c ----

// The same as fork, but with fewer entries into the kernel.
envid_t fork_batched(void);

// ---- lib/challenge/batch.c ----

// System calls that are collected, and then made together in this order, with few entries into the
// kernel. A Batch of zeroes is empty. The calls must not unmap the Batch's memory or make it
// PTE_COW: the kernel writes results to it (see sys_batch).
struct Batch {
	uint32_t count; // Calls that are not yet made
	struct BatchCall calls[BATCH_MOST];
};

// Collect the call of that name. The call is made when the batch is full, or by batch_flush.
// Returns 0, or the error of an earlier call that failed: then no later call was made, and this
// call is not collected.
int batch_page_alloc(struct Batch *b, envid_t envid, void *va, int perm);
int batch_page_map(
    struct Batch *b, envid_t srcenv, void *srcva, envid_t dstenv, void *dstva, int perm);
int batch_page_unmap(struct Batch *b, envid_t envid, void *va);
int batch_env_set_status(struct Batch *b, envid_t envid, int status);
int batch_env_set_exception_upcall(struct Batch *b, envid_t envid, uint32_t trapno, void *upcall);

// Make the collected calls. Returns 0, or the first error; calls after an error are not made. The
// batch is empty afterwards in both cases.
int batch_flush(struct Batch *b);

// ---- lib/ipc.c ----

// Send val to to_env and, if pg is not NULL, the page at pg with permissions perm. Waits until
// to_env receives. Panics if the message cannot be sent, for example because to_env has ended.
void ipc_send(envid_t to_env, uint32_t val, void *pg, int perm);

// The same, but does not panic. Returns 0, or the error of sys_ipc_send.
// -E_BAD_ENV: to_env does not exist, or ended before it received. -E_UNSPECIFIED: the parent of
// this environment has ended the wait by sys_env_set_status.
int ipc_send_checked(envid_t to_env, uint32_t val, void *pg, int perm);

// Wait for a message and return its value. If the sender sends a page and pg is not NULL, the page
// is mapped at pg. If the pointers are not NULL, *from_env_store is set to the sender's id and
// *perm_store to the page's permissions (0: no page). After an error both are set to 0 and the
// error is returned.
int32_t ipc_recv(envid_t *from_env_store, void *pg, int *perm_store);

// ipc_send_checked and then ipc_recv, in one system call. A client sends a request and receives the
// reply; a server sends a reply and receives the next request. Returns and stores the same as
// ipc_recv. If either half fails, returns its error, and the sender is 0.
int32_t ipc_call(envid_t to_env, uint32_t val, void *pg, int perm, envid_t *from_env_store,
    void *dstpg, int *perm_store);

// The id of the first environment of a type, or 0 if there is none.
envid_t ipc_find_env(enum EnvType type);

// ---- lib/syscall.S: the system calls ----

// A negative result is an error, -E_*. Every va must be below UTOP and on a page boundary:
// otherwise -E_INVAL. Every envid must be the caller's, or 0 for the caller, or that of a direct
// child: otherwise -E_BAD_ENV.

// Print len characters. If the caller may not read all of them, the kernel destroys the caller. If
// the first unreadable character is among the first 65,536, nothing is printed; otherwise the
// characters before it may have been printed.
void sys_cputs(const char *s, size_t len);

// Return the next character from the console, or a key of inc/kbdreg.h; 0 if there is none. Does
// not wait.
int sys_cgetc(void);

// Return the caller's id.
envid_t sys_getenvid(void);

// Destroy an environment and free its memory. The memory of a large environment is freed in steps
// while other environments run; until then its env_status is ENV_DYING. A call that finds no free
// memory, or no free slot in envs[], waits as long as there is a dying environment before it fails.
//
// The children of a destroyed environment continue. Their env_parent_id becomes 0, and then no
// other environment may change them by system calls. But a stopped child (ENV_NOT_RUNNABLE, by
// sys_env_set_status or since sys_exofork) is destroyed too, even if it also waits in a call. A
// child that stops itself later is also destroyed: no environment could start it again.
int sys_env_destroy(envid_t envid);

// Allocate a page of zeroes and map it at va in envid's address space. It replaces any page that is
// mapped there. perm: PTE_P | PTE_U, optionally with PTE_W and bits of PTE_AVAIL; otherwise
// -E_INVAL. -E_NO_MEM: nothing has changed.
int sys_page_alloc(envid_t envid, void *va, int perm);

// Map the page that is at srcva in srcenv also at dstva in dstenv, with permissions perm as in
// sys_page_alloc. -E_INVAL also if there is no page, or if perm has PTE_W and srcenv may not write
// the page. -E_NO_MEM: no memory for a page table.
int sys_page_map(envid_t srcenv, void *srcva, envid_t dstenv, void *dstva, int perm);

// Unmap the page at va. Returns 0 also if no page was mapped.
int sys_page_unmap(envid_t envid, void *va);

// Start an environment (ENV_RUNNABLE), or stop it until it is started (ENV_NOT_RUNNABLE). Another
// status: -E_INVAL. If an environment waits in a call and is not stopped, ENV_RUNNABLE ends the
// wait, and the call returns -E_UNSPECIFIED. For a child that is stopped when its parent ends, see
// sys_env_destroy.
int sys_env_set_status(envid_t envid, int status);

// Set envid's page-fault upcall: the address at which the kernel starts envid after a page fault.
// NULL: the kernel destroys envid at a page fault.
int sys_env_set_pgfault_upcall(envid_t envid, void *upcall);

// Let the next runnable environment run.
void sys_yield(void);

// Send value and, if srcva is below UTOP, the page at srcva with permissions perm as in
// sys_page_map. Does not wait. Errors, checked in this order: -E_BAD_ENV, no such environment;
// -E_IPC_NOT_RECV, to_env does not wait in sys_ipc_recv; -E_INVAL, the page cannot be sent;
// -E_NO_MEM. to_env may be any environment.
int sys_ipc_try_send(envid_t to_env, uint32_t value, void *srcva, int perm);

// Wait for a message. If dstva is below UTOP and the message has a page, it is mapped at dstva. The
// message is in thisenv's env_ipc_value, env_ipc_from and env_ipc_perm afterwards.
int sys_ipc_recv(void *dstva);

// The same as sys_ipc_try_send, but waits until to_env receives. Senders that wait for the same
// receiver are served in the order of their calls. Errors during the wait: -E_BAD_ENV, to_env was
// destroyed; -E_INVAL, the page was unmapped; -E_UNSPECIFIED, the caller was made runnable.
int sys_ipc_send(envid_t to_env, uint32_t value, void *srcva, int perm);

// sys_ipc_send and, if that succeeds, sys_ipc_recv. If the message is delivered at once, to_env
// runs next, in the rest of the caller's turn. After an error, nothing was received. After
// -E_UNSPECIFIED, the message may have been sent, because this error can end either wait; after any
// other error, nothing was sent.
int sys_ipc_call(envid_t to_env, uint32_t value, void *srcva, int perm, void *dstva);

// The same as sys_env_set_pgfault_upcall for the exception trapno, for example T_DIVIDE.
// -E_INVAL: programs cannot handle this exception.
int sys_env_set_exception_upcall(envid_t envid, uint32_t trapno, void *upcall);

// Make the first n calls of an array, but at most BATCH_MOST, and store their results in the array.
// Returns how many calls were made. This may be less than n:
// - a call that stops the caller is the last;
// - with BATCH_STOP in flags, a call that fails is the last;
// - a call that must wait for memory is not made; make it with another sys_batch.
//
// -E_INVAL: other flags, or `calls` is not on a word boundary. The kernel reads all calls before it
// makes the first call, and writes the results after the last call. If the caller may not write to
// `calls`, the kernel destroys the caller. In a batch, calls that print, read keys, wait, make or
// destroy environments, and sys_batch itself, have the result -E_INVAL.
int sys_batch(struct BatchCall *calls, size_t n, int flags);

// The same as sys_cgetc, but waits for a character. Environments that wait here get characters in
// the order of their calls, and before a caller of sys_cgetc. -E_UNSPECIFIED: the caller was made
// runnable, which ends the wait.
int sys_cgetc_wait(void);

// Make a child with the caller's registers and an empty address space. It is not runnable. Returns
// its id, and 0 in the child.
//
// This must be inlined. The child continues from here with a copy of the stack that the caller
// makes later. The frame of a function would be overwritten before that.
static __inline __attribute__((always_inline)) envid_t
sys_exofork(void)
{
	envid_t eax = SYS_exofork; // The call's number, then its result

	__asm__ volatile("int %1" : "+a"(eax) : "i"(T_SYSCALL) : "memory");
	return eax;
}

// ---- Bits of a page table entry that only the library uses ----

#define PTE_SHARE 0x400 // fork shares the page and does not copy it
#define PTE_COW   0x800 // Copy-on-write. Together with PTE_W: shared by sfork

#endif // JOS_INC_LIB_H
