// The system calls: each checks all of its arguments, and only then acts. inc/lib.h
// says what they mean to a user. A call that ends or stops the caller just returns:
// syscall() sees it when it is about to go back.

#include <inc/assert.h>
#include <inc/error.h>

#include <kern/challenge/batch.h>
#include <kern/dev/console.h>
#include <kern/env.h>
#include <kern/challenge/fpu.h>
#include <kern/ipc.h>
#include <kern/pagetable.h>
#include <kern/pmap.h>
#include <kern/sched.h>
#include <kern/spinlock.h>
#include <kern/syscall.h>
#include <kern/trap.h>
#include <kern/upcall.h>

// What sys_cputs writes without letting others in between: a text of CPUTS_SHORT characters, or
// CPUTS_MOST characters, where a control character (a line's end scrolls the screen) counts as
// CPUTS_CONTROL.
#define CPUTS_SHORT   128
#define CPUTS_MOST    1024
#define CPUTS_CONTROL 16
#define CPUTS_CHECK   (16 * PGSIZE) // So much the caller must be able to read, or it ends.

bool
user_va_ok(const void *va)
{
	return (uintptr_t)va < UTOP && PGOFF(va) == 0;
}

bool
user_perm_ok(int perm)
{
	return (perm & (PTE_U | PTE_P)) == (PTE_U | PTE_P) && !(perm & ~PTE_SYSCALL);
}

// The environment that an argument of a caller's names: itself, mostly. NULL if it may not
// name that one.
static inline struct Env *
env_named(struct Env *caller, envid_t envid)
{
	struct Env *e;

	if (envid == 0)
		return caller;
	return envid2env(envid, &e, true) < 0 ? NULL : e;
}

// How much of a text to write now: all of it if it is short; or as many whole lines as may be
// written at once, or that much of a line that is longer. The text is a user's.
static size_t
cputs_part(const char *s, size_t len)
{
	size_t n = 0, lines = 0;

	if (len <= CPUTS_SHORT)
		return len;
	for (int left = CPUTS_MOST; n < len;) {
		left -= (uint8_t)s[n] < ' ' ? CPUTS_CONTROL : 1;
		if (left < 0)
			return lines ? lines : n;
		if (s[n++] == '\n')
			lines = n;
	}
	return len;
}

// The caller's memory can hold a text of gigabytes, and a serial line takes hours for that,
// in which no other CPU would get the big lock. So the caller makes the call again for what
// is left, and can be interrupted before it does.
static int
sys_cputs(const char *s, size_t len)
{
	struct Env *caller = curenv;

	user_mem_assert(caller, s, MIN(len, (size_t)CPUTS_CHECK), PTE_U);
	if (caller != curenv)
		return 0;
	user_access_begin();
	size_t part = cputs_part(s, len);
	cons_write(s, part);
	user_access_end();
	if (part == len)
		return 0;
	struct Trapframe *tf = env_frame(caller);
	tf->tf_regs.reg_edx += part;
	tf->tf_regs.reg_ecx -= part;
	trap_rewind(tf);
	return SYS_cputs; // To be in eax again.
}

// Environments that sleep in sys_cgetc_wait get their keys before a caller that polls: the key that
// arrives just after cons_wake_readers found none is for them, too.
static int
sys_cgetc(void)
{
	cons_wake_readers();
	return cons_has_waiters() ? 0 : cons_getc();
}

static int
sys_cgetc_wait(void)
{
	int c = sys_cgetc();

	if (c == 0)
		cons_wait();
	return c;
}

static envid_t
sys_getenvid(void)
{
	return curenv->env_id;
}

static int
sys_env_destroy(envid_t envid)
{
	struct Env *e = env_named(curenv, envid);

	if (!e)
		return -E_BAD_ENV;
	if (e == curenv)
		cprintf("[%08x] exiting gracefully\n", curenv->env_id);
	else
		cprintf("[%08x] destroying %08x\n", curenv->env_id, e->env_id);
	env_destroy(e);
	return 0;
}

// Does not return here: the caller resumes in user mode with 0, which syscall() has stored.
static int
sys_yield(void)
{
	sched_yield();
}

// Exercise 7.
static envid_t
sys_exofork(void)
{
	struct Env *e;
	int r = env_alloc(&e, curenv->env_id);

	if (r < 0)
		return r;
	if ((r = fpu_copy(e)) < 0) {
		env_free(e);
		return r;
	}
	curenv->env_has_children = true;
	e->env_program = curenv->env_program;
	env_copy_registers(e);
	e->env_tf.tf_regs.reg_eax = 0;
	return e->env_id;
}

// Exercise 7.
static int
sys_env_set_status(envid_t envid, int status)
{
	struct Env *e = env_named(curenv, envid);

	if (!e)
		return -E_BAD_ENV;
	switch (status) {
	case ENV_RUNNABLE:
		env_start(e);
		return 0;
	case ENV_NOT_RUNNABLE:
		env_stop(e);
		return 0;
	default:
		return -E_INVAL;
	}
}

// Exercise 7.
static int
sys_page_alloc(envid_t envid, void *va, int perm)
{
	struct Env *e = env_named(curenv, envid);

	if (!e)
		return -E_BAD_ENV;
	if (!user_va_ok(va) || !user_perm_ok(perm))
		return -E_INVAL;
	struct PageInfo *pp = page_alloc(ALLOC_ZERO);
	if (!pp)
		return -E_NO_MEM;
	int r = page_insert(e->env_pgdir, pp, va, perm);
	if (r < 0)
		page_free(pp);
	return r;
}

// Exercise 7.
static int
sys_page_map(envid_t srcenvid, void *srcva, envid_t dstenvid, void *dstva, int perm)
{
	struct Env *caller = curenv;
	struct Env *src = env_named(caller, srcenvid), *dst = env_named(caller, dstenvid);

	if (!src || !dst)
		return -E_BAD_ENV;
	if (!user_va_ok(srcva) || !user_va_ok(dstva) || !user_perm_ok(perm))
		return -E_INVAL;
	pte_t *pte;
	struct PageInfo *pp = page_lookup(src->env_pgdir, srcva, &pte);
	if (!pp || (perm & PTE_W & ~*pte))
		return -E_INVAL;
	return page_insert(dst->env_pgdir, pp, dstva, perm);
}

// Exercise 7.
static int
sys_page_unmap(envid_t envid, void *va)
{
	struct Env *e = env_named(curenv, envid);

	if (!e)
		return -E_BAD_ENV;
	if (!user_va_ok(va))
		return -E_INVAL;
	page_remove(e->env_pgdir, va);
	return 0;
}

// Exercise 8.
static int
sys_env_set_pgfault_upcall(envid_t envid, void *upcall)
{
	struct Env *e = env_named(curenv, envid);

	if (!e)
		return -E_BAD_ENV;
	e->env_pgfault_upcall = upcall;
	return 0;
}

static int
sys_env_set_exception_upcall(envid_t envid, uint32_t trapno, void *upcall)
{
	struct Env *e = env_named(curenv, envid);

	if (!e)
		return -E_BAD_ENV;
	if (trapno == T_PGFLT)
		e->env_pgfault_upcall = upcall;
	else if (upcall_possible(trapno))
		e->env_upcalls[trapno] = upcall;
	else
		return -E_INVAL;
	return 0;
}

#define X(name, nargs) [SYS_##name] = (syscall_fn)(void *)sys_##name,
const syscall_fn syscall_table[NSYSCALLS] = { SYSCALLS(X) };
#undef X

// A call failed with this error. If it found no memory, or no slot in envs[], while an environment
// is dying, there will be some soon: end the caller's turn, and repeat the call in its next turn.
// (Such a call has changed nothing.) Otherwise return the error. A dying environment gets smaller
// with each of its turns, so the call is repeated only finitely often for each environment that
// ends.
static __attribute__((noinline)) int32_t
call_failed(struct Trapframe *tf, uint32_t number, int32_t error)
{
	if (!envs_dying || (error != -E_NO_MEM && error != -E_NO_FREE_ENV))
		return error;
	tf->tf_regs.reg_eax = number;
	trap_rewind(tf);
	sched_yield();
}

// The same steps as in trap(). Exercise 7.
HOT void
syscall(struct Trapframe *tf)
{
	struct CpuInfo *c = thiscpu;
	struct PushRegs *regs = &tf->tf_regs;

	trap_enter(c, tf);
	trap_lock(c);
	// Another CPU may have stopped or destroyed the caller since it was last in here.
	uint32_t number = regs->reg_eax;
	if (c->cpu_env->env_status != ENV_RUNNING) {
		trap_rewind(tf);
	} else if (number >= NSYSCALLS) {
		regs->reg_eax = -E_INVAL;
	} else {
		regs->reg_eax = 0; // The result of calls that do not return here
		int32_t r = syscall_table[number](
		    regs->reg_edx, regs->reg_ecx, regs->reg_ebx, regs->reg_edi, regs->reg_esi);
		regs->reg_eax = r < 0 ? call_failed(tf, number, r) : r;
	}
	trap_leave(c);
}

// Should another CPU stop or destroy the caller meanwhile, its interrupt comes before the
// caller's next instruction, as if the call had come first.
envid_t
syscall_getenvid(void)
{
	return curenv->env_id;
}
