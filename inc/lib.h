#ifndef JOS_INC_LIB_H
#define JOS_INC_LIB_H

// Everything a user program may use. It starts at umain.

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

extern const char *binaryname;               // This program's name
extern const volatile struct Env *thisenv;   // This environment
extern const volatile struct Env envs[NENV]; // All of them
extern const volatile struct PageInfo pages[];

void exit(void) __attribute__((noreturn));

// ---- lib/pgfault.c ----

// Let handler deal with this program's page faults. It runs on a stack of its own,
// a page below UXSTACKTOP; when it returns, the program goes on as *utf says. What the
// handler does to floating-point and SSE registers, it does to the program's.
void set_pgfault_handler(void (*handler)(struct UTrapframe *utf));

// The same for another exception, T_DIVIDE, say: handler finds its vector in
// utf_fault_va. NULL: the kernel deals with it again. -E_INVAL: not this one.
int set_exception_handler(uint32_t trapno, void (*handler)(struct UTrapframe *utf));

// lib/pfentry.S: what the kernel enters.
void _pgfault_upcall(void);

// ---- lib/fork.c ----

// Make a child that is a copy of this environment. Its id, and 0 in the child; or an
// error, and then all is as it was. What is mapped with PTE_SHARE is not copied, but shared.
//
// With sfork, the child shares all memory that is mapped at that moment, except the stack and
// thisenv, which are copied. Environments that share memory so go on to share it whatever they
// do later: when one of them forks, that child gets a copy of its own; when one of them calls
// sfork, that child shares it, too. (While a fork copies a page, others may write to it: the
// child may get half of what they write.)
envid_t fork(void);
envid_t sfork(void);

// ---- lib/challenge/forkbatch.c ----

// The same as fork, by fewer entries into the kernel.
envid_t fork_batched(void);

// ---- lib/challenge/batch.c ----

// System calls that are collected, and made by few entries into the kernel, in their order.
// It is empty when all of it is zero. (None of them may take it away, or make it PTE_COW: see
// sys_batch.)
struct Batch {
	uint32_t count; // Calls that are not made yet
	struct BatchCall calls[BATCH_MOST];
};

// The calls of these names, some time before batch_flush returns. 0; or the error of an
// earlier one, and then that one was the last.
int batch_page_alloc(struct Batch *b, envid_t envid, void *va, int perm);
int batch_page_map(
    struct Batch *b, envid_t srcenv, void *srcva, envid_t dstenv, void *dstva, int perm);
int batch_page_unmap(struct Batch *b, envid_t envid, void *va);
int batch_env_set_status(struct Batch *b, envid_t envid, int status);
int batch_env_set_exception_upcall(struct Batch *b, envid_t envid, uint32_t trapno, void *upcall);

// Make what is left. 0; or the first error, and then the calls after it are not made. In any
// case the batch is empty.
int batch_flush(struct Batch *b);

// ---- lib/ipc.c ----

// Send val to to_env, and if pg is not NULL the page at pg with permissions perm. Waits until
// to_env receives. Panics if the message cannot be sent, for example because to_env has ended.
void ipc_send(envid_t to_env, uint32_t val, void *pg, int perm);

// The same for a program that goes on after an error: 0, or the error of sys_ipc_send.
// -E_BAD_ENV: to_env does not exist, or ended before it received. -E_UNSPECIFIED: the parent
// of this environment has ended the wait by sys_env_set_status.
int ipc_send_checked(envid_t to_env, uint32_t val, void *pg, int perm);

// Wait for a message, and return its value. A page that comes with it is mapped at
// pg, if that is not NULL. The sender's id and the page's permissions (0: no page)
// are stored where wanted; 0 and 0, and the error returned, if something is wrong.
int32_t ipc_recv(envid_t *from_env_store, void *pg, int *perm_store);

// ipc_send_checked and then ipc_recv, in one system call: for a question and its answer, or
// a server's answer and the next question. Returns and stores what ipc_recv does; an error of
// either, with sender 0.
int32_t ipc_call(envid_t to_env, uint32_t val, void *pg, int perm, envid_t *from_env_store,
    void *dstpg, int *perm_store);

// The first environment of a type, or 0.
envid_t ipc_find_env(enum EnvType type);

// ---- lib/syscall.S: the system calls. Less than 0 is an error: -E_* ----
// A va is below UTOP and on a page boundary, an envid the caller's, 0 for the
// same, or that of a direct child: else -E_INVAL and -E_BAD_ENV.

// Print len characters. Ends the caller if it may not read them: before anything is printed, if the
// first character that it may not read is among the first 65,536; if not, what comes before
// that character may have been printed.
void sys_cputs(const char *s, size_t len);

// The next character from the console, or a key of inc/kbdreg.h; 0 at once if there is none.
int sys_cgetc(void);

envid_t sys_getenvid(void);

// End an environment and free all that it has. If it has much memory, that is freed bit by bit
// while others run; until then its env_status is ENV_DYING. A call that needs memory, or a slot in
// envs[], and finds none, waits while there is a dying environment, before it fails.
//
// Children of an environment that has ended go on, and from then on their env_parent_id is 0
// and only they themselves may be named to calls that change them. But a child that is
// stopped (ENV_NOT_RUNNABLE, by sys_env_set_status or since sys_exofork) ends, too, even if it also
// waits in a call, and so does one that stops itself later: no environment could start it.
int sys_env_destroy(envid_t envid);

// Map a page of zeroes at va in envid's address space, in place of what was there.
// perm: PTE_P | PTE_U, maybe PTE_W and bits of PTE_AVAIL. -E_NO_MEM.
int sys_page_alloc(envid_t envid, void *va, int perm);

// Map the page at srcva in srcenv also at dstva in dstenv. -E_INVAL if there is
// none, or if perm has PTE_W and srcenv may not write it. -E_NO_MEM.
int sys_page_map(envid_t srcenv, void *srcva, envid_t dstenv, void *dstva, int perm);

// Map nothing at va any more. Not an error if nothing was.
int sys_page_unmap(envid_t envid, void *va);

// Let an environment run (ENV_RUNNABLE), or stop it until then (ENV_NOT_RUNNABLE); else
// -E_INVAL. One that waits in a call, not stopped, and is made runnable, gets
// -E_UNSPECIFIED from it. A child that is stopped when its parent ends, or stops itself afterwards,
// ends: see sys_env_destroy.
int sys_env_set_status(envid_t envid, int status);

// Where envid's page faults are to be handled.
int sys_env_set_pgfault_upcall(envid_t envid, void *upcall);

// Let another environment run.
void sys_yield(void);

// Give value, and if srcva is below UTOP the page there, to an environment that
// waits in sys_ipc_recv: else -E_IPC_NOT_RECV, even if the page could not be sent, which is
// -E_INVAL. perm as in sys_page_map.
int sys_ipc_try_send(envid_t to_env, uint32_t value, void *srcva, int perm);

// Wait for a value and, if dstva is below UTOP, for a page to map there.
int sys_ipc_recv(void *dstva);

// The same as sys_ipc_try_send, but waits until to_env receives, after those that
// came before. -E_BAD_ENV if it is destroyed; -E_INVAL if the page is gone by then;
// -E_UNSPECIFIED if it is made runnable, and waits no longer.
int sys_ipc_send(envid_t to_env, uint32_t value, void *srcva, int perm);

// sys_ipc_send, and if that succeeds sys_ipc_recv. If it has to wait only for a message,
// to_env runs at once in its place. An error is that of either, and nothing was received; nor
// was anything sent, but for -E_UNSPECIFIED, which ends either wait.
int sys_ipc_call(envid_t to_env, uint32_t value, void *srcva, int perm, void *dstva);

// Where exceptions of vector trapno are to be handled. -E_INVAL: not this one.
int sys_env_set_exception_upcall(envid_t envid, uint32_t trapno, void *upcall);

// Make n calls, or the first BATCH_MOST of them, each of which gets its result. Returns how
// many were made: fewer after one that stopped the caller, with BATCH_STOP in flags after
// one that failed, and before one that has to wait for memory, which is to be made by another
// sys_batch. -E_INVAL for other flags, and if calls is not on a word boundary. All
// are read before the first is made, and the results are written after the last: if the caller
// may not write to calls then, it ends. Those that print, read keys or wait, make environments or
// end them, are -E_INVAL in a batch, and so is another batch.
int sys_batch(struct BatchCall *calls, size_t n, int flags);

// The same as sys_cgetc, but sleeps until there is a character. Environments that sleep here get
// characters in the order in which they called, and before a caller of sys_cgetc.
// -E_UNSPECIFIED if the caller is made runnable, and waits no longer.
int sys_cgetc_wait(void);

// Make a child with the caller's registers and an empty address space, not
// runnable. Returns its id, and 0 in the child. Inlined, because the child comes
// back from it on a stack of its own: of what the parent's stack holds, it
// may rely only on what was there before a call it could return from.
static __inline envid_t __attribute__((always_inline)) sys_exofork(void)
{
	envid_t eax = SYS_exofork; // The number, and then the result

	__asm__ volatile("int %1" : "+a"(eax) : "i"(T_SYSCALL) : "memory");
	return eax;
}

// ---- Bits of a page table entry that the library gives a meaning ----

#define PTE_SHARE 0x400 // fork and spawn share the page, they do not copy it
#define PTE_COW   0x800 // To be copied when it is written. With PTE_W: shared by sfork

#endif // JOS_INC_LIB_H
