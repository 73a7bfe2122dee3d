// The system calls. inc/lib.h describes them for programs. Each call first checks all arguments,
// and only then changes anything. A call that destroys or stops its caller returns normally. Then
// trap_leave calls the scheduler. challenge.h declares the calls in kern/challenge/.

#include <inc/assert.h>
#include <inc/error.h>

#include <kern/challenge/challenge.h>
#include <kern/dev/console.h>
#include <kern/env.h>
#include <kern/ipc.h>
#include <kern/pagetable.h>
#include <kern/pmap.h>
#include <kern/sched.h>
#include <kern/spinlock.h>
#include <kern/syscall.h>
#include <kern/trap.h>
#include <kern/trapcases.h>
#include <kern/wait.h>

// Limits of the text that sys_cputs writes at once, with the big lock. It writes a text of up to
// CPUTS_SHORT characters completely, but only up to CPUTS_MAX characters of a longer text. A
// control character counts as CPUTS_CONTROL characters, because a newline scrolls the screen.
#define CPUTS_SHORT   128
#define CPUTS_MAX     1024
#define CPUTS_CONTROL 16
// The number of bytes that the caller must be allowed to read before sys_cputs writes anything
#define CPUTS_CHECK (16 * PGSIZE)

// Return how many characters of a text to write now. A short text is written completely. If the
// text is longer, as many whole lines are written as the limit allows. If the first line alone
// exceeds the limit, a part of this line is written. The text is in user memory.
static size_t
cputs_part(const char *s, size_t len)
{
	size_t n = 0, lines = 0;

	if (len <= CPUTS_SHORT)
		return len;
	for (int left = CPUTS_MAX; n < len;) {
		left -= (uint8_t)s[n] < ' ' ? CPUTS_CONTROL : 1;
		if (left < 0)
			return lines ? lines : n;
		if (s[n++] == '\n')
			lines = n;
	}
	return len;
}

// A text can be gigabytes long, which takes hours on a serial line. During this time, no other CPU
// could take the big lock. So sys_cputs writes a part of the text, and makes the caller repeat the
// call for the rest. Between the calls, other CPUs take the lock, and interrupts arrive.
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
	return SYS_cputs; // syscall() stores this number in eax, for the repeated call.
}

// Environments that wait in sys_cgetc_wait get characters first. If any environment still waits,
// return 0: even a character that has just arrived is for the waiting environment.
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

// sched_yield does not return to sys_yield. syscall() has already stored the result, 0, in eax.
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
	if (!pp || ((perm & PTE_W) && !(*pte & PTE_W)))
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

// The functions of the system calls, indexed by number. syscall_fn says why the casts are safe.
#define X(name, nargs) [SYS_##name] = (syscall_fn)(void *)sys_##name,
const syscall_fn syscall_table[] = { LAB_SYSCALLS(X)
#ifdef CHALLENGES
	    CHALLENGE_SYSCALLS(X)
#endif
};
#undef X

// Handle the error of a failed call. (A failed call changes nothing.) If the call found no memory
// or no free slot in envs[], and an environment is dying, end the caller's turn, and repeat the
// call in its next turn. Memory and a slot will soon be free, because each turn frees a part of a
// dying environment. Otherwise return the error.
static __attribute__((noinline)) int32_t
call_failed(struct Trapframe *tf, uint32_t number, int32_t error)
{
	if (!envs_dying || (error != -E_NO_MEM && error != -E_NO_FREE_ENV))
		return error;
	tf->tf_regs.reg_eax = number;
	trap_rewind(tf);
	sched_yield();
}

// Exercise 7. Inlined in syscall_fast.
inline __attribute__((always_inline)) void
syscall(struct Trapframe *tf)
{
	struct PushRegs *regs = &tf->tf_regs;
	uint32_t number = regs->reg_eax;

	if (number >= ARRAY_SIZE(syscall_table)) {
		regs->reg_eax = -E_INVAL;
		return;
	}
	regs->reg_eax = 0; // The result if the function does not return (sys_yield)
	int32_t r = syscall_table[number](
	    regs->reg_edx, regs->reg_ecx, regs->reg_ebx, regs->reg_edi, regs->reg_esi);
	regs->reg_eax = r < 0 ? call_failed(tf, number, r) : r;
}

// A short form of trap(), only for system calls from user mode. challenge/sysentry.S calls it.
HOT void
syscall_fast(struct Trapframe *tf)
{
	struct CpuInfo *c = thiscpu;

	trap_enter(c, tf);
	trap_lock(c);
	if (c->cpu_env->env_status == ENV_RUNNING)
		syscall(tf);
	else
		trap_rewind(tf);
	trap_leave(c);
}
