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
// Floating-point and SSE registers are not saved: if the handler changes them, they stay changed.
// If handler is NULL, a later page fault destroys the program (after a fork, the program panics
// instead). Panics if there is no memory for the exception stack.
void set_pgfault_handler(void (*handler)(struct UTrapframe *utf));

// Set the handler of exception trapno, for example T_DIVIDE. When this handler is called,
// utf_fault_va holds the vector. Returns 0, -E_NO_MEM, or -E_INVAL if programs cannot handle this
// exception.
int set_exception_handler(uint32_t trapno, void (*handler)(struct UTrapframe *utf));

// The code that the kernel starts in the program after a page fault (the upcall): lib/pfentry.S.
void _pgfault_upcall(void);

// ---- lib/fork.c ----

// Create a child that is a copy of this environment. Returns the child's id, and 0 in the child. If
// no child can be created, returns an error (-E_NO_FREE_ENV, -E_NO_MEM), and nothing has changed.
// Pages that are mapped with PTE_SHARE are shared, not copied.
//
// sfork: the child shares all memory that is mapped at the time of the call, except the stack and
// thisenv, which are copied. Pages that are shared by sfork stay shared. A later sfork shares them
// with one more child. A later fork gives its child copies of them. (While the later fork copies a
// page, another environment may write to this page. Then the child's copy may contain only a part
// of what was written.)
envid_t fork(void);
envid_t sfork(void);

// ---- lib/challenge/forkbatch.c ----

// The same as fork, but with fewer entries into the kernel.
envid_t fork_batched(void);

// ---- lib/challenge/batch.c ----

// A batch: system calls that a program collects, and later executes together, in the same order,
// with few entries into the kernel. A Batch in which all bytes are zero is empty. The calls must
// not unmap the memory of the Batch, or map it with PTE_COW, because the kernel writes results to
// this memory (see sys_batch).
struct Batch {
	uint32_t count; // Calls that are not yet executed
	struct BatchCall calls[BATCH_MAX];
};

// Each function batch_NAME adds a call of sys_NAME to the batch. If the batch is full, the function
// first calls batch_flush. If this fails, the function returns the error and does not add the new
// call. Otherwise the function returns 0.
int batch_page_alloc(struct Batch *b, envid_t envid, void *va, int perm);
int batch_page_map(
    struct Batch *b, envid_t srcenv, void *srcva, envid_t dstenv, void *dstva, int perm);
int batch_page_unmap(struct Batch *b, envid_t envid, void *va);
int batch_env_set_status(struct Batch *b, envid_t envid, int status);
int batch_env_set_exception_upcall(struct Batch *b, envid_t envid, uint32_t trapno, void *upcall);

// Execute the calls of the batch, up to the first call that fails. Returns 0, or the error of the
// failed call. In both cases, the batch is empty afterwards.
int batch_flush(struct Batch *b);

// ---- lib/ipc.c ----

// Send val to to_env and, if pg is not NULL, the page at pg with permissions perm. Waits until
// to_env receives. Panics if the message cannot be sent, for example because to_env was destroyed.
void ipc_send(envid_t to_env, uint32_t val, void *pg, int perm);

// The same as ipc_send, but does not panic. Returns 0 or an error of sys_ipc_send. -E_BAD_ENV means
// that to_env does not exist, or was destroyed before it received. -E_UNSPECIFIED means that this
// environment's parent has ended the wait by sys_env_set_status.
int ipc_send_checked(envid_t to_env, uint32_t val, void *pg, int perm);

// Wait for a message and return its value. If the sender sends a page and pg is not NULL, the page
// is mapped at pg. *from_env_store is set to the sender's id, and *perm_store to the permissions of
// the page (0 if no page was received). Each of these two pointers may be NULL: then the value is
// not stored. After an error, both values are 0, and the error is returned.
int32_t ipc_recv(envid_t *from_env_store, void *pg, int *perm_store);

// Send a message as ipc_send_checked does, then wait for a message as ipc_recv does, in one system
// call. For example, a client sends a request and receives the reply; a server sends a reply and
// receives the next request. A received page is mapped at dstpg. The return value and the stored
// values are those of ipc_recv. If sending or receiving fails, the error is returned, and the
// sender's id is 0.
int32_t ipc_call(envid_t to_env, uint32_t val, void *pg, int perm, envid_t *from_env_store,
    void *dstpg, int *perm_store);

// Returns the id of the first environment in envs[] that has this type, or 0 if none has.
envid_t ipc_find_env(enum EnvType type);

// ---- lib/syscall.S: the system calls ----

// For all of these calls, a negative result is an error, -E_*. Every va must be below UTOP and on a
// page boundary; otherwise the call returns -E_INVAL. Every envid must be the id of the caller or
// of a direct child of the caller, or 0 for the caller; otherwise the call returns -E_BAD_ENV.

// Print len characters. If the caller cannot read all of them, the kernel destroys the caller. If
// the first unreadable character is among the first 65,536, nothing is printed; otherwise the
// characters before the unreadable character may have been printed.
void sys_cputs(const char *s, size_t len);

// Return the next character from the console, or a key of inc/kbdreg.h, or 0 if there is no input.
// Does not wait. Programs never get Ctrl-C and Ctrl-P: these are for the kernel (docs/monitor.md).
int sys_cgetc(void);

// Return the caller's id.
envid_t sys_getenvid(void);

// Destroy an environment and free its memory. The memory of a large environment is freed in steps
// while other environments run; until then its env_status is ENV_DYING. While any environment is
// dying, a call that finds no free memory, or no free slot in envs[], waits instead of failing.
//
// The children that are stopped (ENV_NOT_RUNNABLE, by sys_env_set_status or since sys_exofork) are
// destroyed, too, even if they also wait in a call. The other children continue. Their
// env_parent_id becomes 0, and then no other environment may change them by system calls. If such a
// child stops itself later, it is destroyed, because no environment could start it again.
int sys_env_destroy(envid_t envid);

// Allocate a page of zeroes and map it at va in envid's address space. The new page replaces any
// page that is mapped there. perm must be PTE_P | PTE_U, optionally with PTE_W and bits of
// PTE_AVAIL; otherwise the call returns -E_INVAL. After -E_NO_MEM, nothing has changed.
int sys_page_alloc(envid_t envid, void *va, int perm);

// Take the page that is mapped at srcva in srcenv, and map the page at dstva in dstenv, with
// permissions perm. perm must be valid as in sys_page_alloc. The call also returns -E_INVAL if no
// page is mapped at srcva, or if perm has PTE_W and srcenv cannot write to the page. If there is
// no memory for a page table, the call returns -E_NO_MEM.
int sys_page_map(envid_t srcenv, void *srcva, envid_t dstenv, void *dstva, int perm);

// Unmap the page at va. If no page is mapped there, the result is also 0.
int sys_page_unmap(envid_t envid, void *va);

// ENV_RUNNABLE starts an environment. ENV_NOT_RUNNABLE stops an environment until it is started
// again. For any other status, the call returns -E_INVAL. If the environment waits in a call and is
// not stopped, ENV_RUNNABLE ends the wait, and the call in which it waited returns -E_UNSPECIFIED.
// (If a parent is destroyed, its stopped children are destroyed, too: see sys_env_destroy.)
int sys_env_set_status(envid_t envid, int status);

// Set envid's page-fault upcall: the address at which the kernel starts envid after a page fault.
// If upcall is NULL, the kernel destroys envid at a page fault.
int sys_env_set_pgfault_upcall(envid_t envid, void *upcall);

// Let the next runnable environment run.
void sys_yield(void);

// Send value and, if srcva is below UTOP, the page at srcva with permissions perm as in
// sys_page_map. Does not wait. to_env may be any environment. Errors, checked in this order:
// -E_BAD_ENV if to_env does not exist; -E_IPC_NOT_RECV if to_env is not waiting for a message;
// -E_INVAL if the page cannot be sent; -E_NO_MEM.
int sys_ipc_try_send(envid_t to_env, uint32_t value, void *srcva, int perm);

// Wait for a message. If dstva is below UTOP and the message has a page, the page is mapped at
// dstva. Afterwards, the message is in env_ipc_value, env_ipc_from and env_ipc_perm of thisenv.
int sys_ipc_recv(void *dstva);

// The same as sys_ipc_try_send, but waits until to_env receives. Senders that wait for the same
// receiver are served in the order of their calls. Errors during the wait: -E_BAD_ENV if to_env was
// destroyed; -E_INVAL if the page was unmapped; -E_UNSPECIFIED if the caller was made runnable by
// sys_env_set_status.
int sys_ipc_send(envid_t to_env, uint32_t value, void *srcva, int perm);

// Send a message as sys_ipc_send does; if this succeeds, wait for a message as sys_ipc_recv does.
// If the message to to_env is delivered at once, to_env runs next, for the rest of the caller's
// turn. After an error, nothing was received. -E_UNSPECIFIED can end the wait to send or the wait
// to receive, so the message may have been sent. After any other error, nothing was sent.
int sys_ipc_call(envid_t to_env, uint32_t value, void *srcva, int perm, void *dstva);

// The same as sys_env_set_pgfault_upcall, but for exception trapno, for example T_DIVIDE. Returns
// -E_INVAL if programs cannot handle this exception.
int sys_env_set_exception_upcall(envid_t envid, uint32_t trapno, void *upcall);

// Execute the first n calls of an array, but at most BATCH_MAX, and store their results in the
// array. Returns the number of executed calls. The number can be less than n for three reasons:
//
// - If a call stops the caller, no later call is executed.
// - If BATCH_STOP is in flags and a call fails, no later call is executed.
// - A call that must wait for memory is not executed, and no later call is executed. The program
//   can issue these calls again with another sys_batch.
//
// Returns -E_INVAL if flags has other bits, or if `calls` is not on a word boundary. The kernel
// reads all calls before it executes the first call, and writes all results after the last call. If
// the caller cannot write to `calls`, the kernel destroys the caller. Some calls cannot be in a
// batch, and have the result -E_INVAL: calls that print, read keys, wait, or create or destroy
// environments, and sys_batch itself.
int sys_batch(struct BatchCall *calls, size_t n, int flags);

// The same as sys_cgetc, but waits for a character. Environments that wait in this call get
// characters in the order of their calls, and before a caller of sys_cgetc. Returns -E_UNSPECIFIED
// if the caller was made runnable by sys_env_set_status, which ends the wait.
int sys_cgetc_wait(void);

#ifdef STRIDE
// Set envid's number of tickets, 1 to 1000; otherwise the call returns -E_INVAL. envid gets turns
// in proportion to its tickets. A new environment has 10: kern/challenge/stride.c.
int sys_env_set_tickets(envid_t envid, uint32_t tickets);
#endif

// Create a child with the caller's registers and an empty address space. The child is not runnable.
// Returns the child's id, and 0 in the child.
//
// This function must be inlined. The child continues from here, with a copy of the stack that the
// caller makes later. If this function had a stack frame of its own, that frame would be
// overwritten before the copy is made.
static __inline __attribute__((always_inline)) envid_t
sys_exofork(void)
{
	envid_t eax = SYS_exofork; // The number of the call, and afterwards its result

	__asm__ volatile("int %1" : "+a"(eax) : "i"(T_SYSCALL) : "memory");
	return eax;
}

#endif // JOS_INC_LIB_H
