// The states of an environment. (load.c loads its program; end.c frees its memory.)
//
//	          env_alloc               env_start              env_run
//	ENV_FREE -----------> NOT_RUNNABLE --------> RUNNABLE <----------> RUNNING
//	   ^                  ^   |  env_stop            |   end of turn    |  |
//	   |                  +---|----------------------+------------------+  |
//	   |                      |                      |                     |
//	   +------ ENV_DYING <----+------- env_free -----+---------------------+
//
// ENV_DYING means that the environment is destroyed, but not all of its memory is free. If another
// CPU runs the environment, env_destroy only sets this status. Then that CPU calls env_free.
//
// Only env_set_status (env.h) writes env_status. It also updates the set of runnable environments.
// While an environment is on a CPU (env_oncpu), its registers are in that CPU, or at the top of
// that CPU's kernel stack. Otherwise they are in env_tf. Only the CPU itself takes the environment
// off. Another CPU that stops or destroys the environment sets the status and interrupts the CPU.

#include <inc/assert.h>
#include <inc/error.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/challenge/challenge.h>
#include <kern/pagetable.h>
#include <kern/pmap.h>
#include <kern/probe.h>
#include <kern/runq.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <kern/tlb.h>
#include <kern/wait.h>

// The two counters in an environment id (see envid_t in inc/env.h).
#define ID_LOW_SHIFT  LOG2NENV
#define ID_LOW_MAX    3u
#define ID_HIGH_SHIFT 12
#define ID_HIGH_MAX   0x7FFFFu

HOT_DATA struct Env *envs;
struct Env *env_free_list; // The free environments, at first in slot order

// All segments of the kernel and of programs start at address 0 and are 4 GB long. They differ only
// in type and privilege level. trap_init_percpu and doublefault_init_percpu add two TSSs per CPU.
HOT_DATA struct Segdesc gdt[(GD_TSS0 >> 3) + 2 * NCPU] = {
	SEG_NULL,
	[GD_KT >> 3] = SEG(STA_X | STA_R, 0x0, 0xFFFFFFFF, 0),
	[GD_KD >> 3] = SEG(STA_W, 0x0, 0xFFFFFFFF, 0),
	[GD_UT >> 3] = SEG(STA_X | STA_R, 0x0, 0xFFFFFFFF, 3),
	[GD_UD >> 3] = SEG(STA_W, 0x0, 0xFFFFFFFF, 3),
};

static const struct Pseudodesc gdt_pd = { sizeof(gdt) - 1, (uint32_t)gdt };

// Put all slots on the free list, in order, so that the first environment gets slot 0.
void
env_init(void)
{
	for (int i = NENV; i-- > 0;) {
		envs[i].env_link = env_free_list;
		env_free_list = &envs[i];
	}
}

// Load the kernel's segments into this CPU. The kernel does not use fs and gs.
void
env_init_percpu(void)
{
	lgdt(&gdt_pd);
	__asm__ volatile("movw %w0, %%ds; movw %w0, %%es; movw %w0, %%ss" : : "r"(GD_KD));
	__asm__ volatile("movw %w0, %%fs; movw %w0, %%gs" : : "r"(0));
	__asm__ volatile("ljmp %0, $1f; 1:" : : "i"(GD_KT));
	lldt(0);
}

// ---- Starting and stopping ----

// Make e run again after env_stop or env_alloc. If e is still on its CPU, that CPU continues to run
// e. If e was stopped during a wait, e continues to wait. If e waits but was not stopped, cancel
// the wait: e's system call returns an error.
void
env_start(struct Env *e)
{
	bool stopped = e->env_stopped;

	assert(kernel_locked());
	if (e->env_status != ENV_NOT_RUNNABLE)
		return;
	e->env_stopped = false;
	if (e->env_oncpu)
		env_set_status(e, ENV_RUNNING);
	else if (!e->env_queue && !e->env_ipc_recving)
		env_set_status(e, ENV_RUNNABLE);
	else if (!stopped)
		wait_cancel(e);
}

// Stop e: e does not run before env_start is called, even if e waits and the wait ends. If another
// CPU runs e, force that CPU into the kernel, where it takes e off as soon as it has the big lock.
// (If e has just executed a single step, that CPU first handles the trap.) If e is an orphan,
// destroy e, because no environment could start it again.
void
env_stop(struct Env *e)
{
	assert(kernel_locked());
	if (e->env_orphan) {
		env_destroy(e);
		return;
	}
	e->env_stopped = true;
	env_set_status(e, ENV_NOT_RUNNABLE);
	if (e->env_oncpu && e != curenv)
		force_into_kernel(e->env_cpunum);
}

// ---- Creation ----

// Give e a page directory. It has the kernel's mappings above UTOP, and no mappings below UTOP. At
// UVPT, the page directory is used as its own page table. Returns 0 or -E_NO_MEM.
static __attribute__((noinline)) int
env_setup_vm(struct Env *e)
{
	struct PageInfo *pp = page_alloc(ALLOC_ZERO);

	if (!pp)
		return -E_NO_MEM;
	pp->pp_ref++;
	e->env_pgdir = page2kva(pp);
	memcpy(e->env_pgdir + PDX(UTOP), kern_pgdir + PDX(UTOP),
	    (NPDENTRIES - PDX(UTOP)) * sizeof(pde_t));
	e->env_pgdir[PDX(UVPT)] = PADDR(e->env_pgdir) | PTE_P | PTE_U;
	return 0;
}

// Return the id of the next environment in slot e (see envid_t in inc/env.h).
static envid_t
next_id(const struct Env *e)
{
	uint32_t high = e->env_id >> ID_HIGH_SHIFT, low = e->env_id >> ID_LOW_SHIFT;

	if (high < ID_HIGH_MAX) {
		high++;
	} else {
		high = 1;
		low++;
	}
	return high << ID_HIGH_SHIFT | (low & ID_LOW_MAX) << ID_LOW_SHIFT | (e - envs);
}

// Create an environment, stopped and without memory. Only its segments, stack pointer and interrupt
// flag are set. Returns 0 and sets *newenv_store, or returns -E_NO_FREE_ENV or -E_NO_MEM.
int
env_alloc(struct Env **newenv_store, envid_t parent_id)
{
	struct Env *e = env_free_list;

	assert(kernel_locked());
	if (!e)
		return -E_NO_FREE_ENV;
	int r = env_setup_vm(e);
	if (r < 0)
		return r;
	env_free_list = e->env_link;

	*e = (struct Env){
		.env_id = next_id(e),
		.env_parent_id = parent_id,
		.env_type = ENV_TYPE_USER,
		.env_stopped = true,
		.env_pgdir = e->env_pgdir,
		.env_tf = {
			.tf_ds = GD_UD | 3,
			.tf_es = GD_UD | 3,
			.tf_ss = GD_UD | 3,
			.tf_cs = GD_UT | 3,
			.tf_esp = USTACKTOP,
			.tf_eflags = FL_IF, // Exercise 13
		},
	};
	env_set_status(e, ENV_NOT_RUNNABLE);
	probe(PROBE_FORK, e->env_id);
	*newenv_store = e;
	cprintf("[%08x] new env %08x\n", curenv ? curenv->env_id : 0, e->env_id);
	return 0;
}

// ---- Destruction ----

size_t envs_dying;

// Make e ENV_DYING. If this CPU runs e, take e off: curenv becomes NULL. No other CPU may run e.
static void
make_dying(struct Env *e)
{
	assert(kernel_locked());
	assert(!e->env_oncpu || e == curenv);
	cprintf("[%08x] free env %08x\n", curenv ? curenv->env_id : 0, e->env_id);
	probe(PROBE_DESTROY, e->env_id);
	if (e->env_status != ENV_DYING)
		envs_dying++;
	env_set_status(e, ENV_DYING);
	e->env_ipc_recving = false;
	wait_leave(e);
	fpu_discard(e);
	tlb_unload(e->env_pgdir);
	if (e == curenv)
		curenv = NULL;
	e->env_oncpu = false;
}

// Put e into the set of runnable environments. When it is e's turn, the scheduler frees e's memory.
static void
schedule_freeing(struct Env *e)
{
	runq_add(ENVX(e->env_id));
	runq_wake();
}

// Destroy e. If e has little memory, free the memory now. Otherwise the scheduler frees the rest in
// e's turns. If this CPU runs e, curenv becomes NULL. No other CPU may run e.
void
env_free(struct Env *e)
{
	make_dying(e);
	env_free_part(e);
	if (e->env_status == ENV_DYING)
		schedule_freeing(e);
}

// Destroy e. After env_destroy has returned, e executes no more instructions. If another CPU runs
// e, that CPU calls env_free as soon as it has the lock.
void
env_destroy(struct Env *e)
{
	assert(kernel_locked());
	if (e->env_oncpu && e != curenv) {
		envs_dying++;
		env_set_status(e, ENV_DYING);
		force_into_kernel(e->env_cpunum);
	} else {
		env_free(e);
	}
}

void
env_destroy_later(struct Env *e)
{
	if (e->env_oncpu) {
		env_destroy(e);
	} else {
		make_dying(e);
		schedule_freeing(e);
	}
}

// Find the environment with the id envid. Id 0 means curenv. If checkperm is true, the environment
// must be curenv or a direct child of curenv. Returns 0 and sets *env_store, or returns -E_BAD_ENV
// and sets *env_store to NULL.
int
envid2env(envid_t envid, struct Env **env_store, bool checkperm)
{
	struct Env *e = envid == 0 ? curenv : &envs[ENVX(envid)];

	assert(kernel_locked());
	*env_store = NULL;
	if (e->env_status == ENV_FREE || e->env_status == ENV_DYING)
		return -E_BAD_ENV;
	if (envid != 0 && e->env_id != envid)
		return -E_BAD_ENV;
	if (checkperm && e != curenv && e->env_parent_id != curenv->env_id)
		return -E_BAD_ENV;
	*env_store = e;
	return 0;
}

// ---- Switching between environments ----

// Return the frame that holds e's registers. If another CPU runs e, the frame holds the registers
// at e's last entry into the kernel.
struct Trapframe *
env_frame(struct Env *e)
{
	return e->env_oncpu ? cpu_frame(&cpus[e->env_cpunum]) : &e->env_tf;
}

// After sysenter from virtual-8086 mode (challenge/sysentry.S), fs and gs may hold values that are
// not selectors. Replace such a value with 0, because loading it would fault.
static __attribute__((noinline)) void
check_segments(struct Env *e)
{
	if (!is_user_selector(e->env_fs))
		e->env_fs = 0;
	if (!is_user_selector(e->env_gs))
		e->env_gs = 0;
}

// Save e's fs and gs, which the kernel does not use. Most programs do not use them either.
static inline void
save_segments(struct Env *e)
{
	store_fs_gs(&e->env_fs, &e->env_gs);
	if (e->env_fs || e->env_gs)
		check_segments(e);
}

// Copy curenv's registers, except the floating-point registers, to a child that has not run yet.
void
env_copy_registers(struct Env *child)
{
	assert(kernel_locked());
	save_segments(curenv);
	child->env_fs = curenv->env_fs;
	child->env_gs = curenv->env_gs;
	child->env_tf = *env_frame(curenv);
}

// Take e off this CPU, c. If e is ENV_DYING, free e. Otherwise save e's registers.
static inline void
env_save(struct CpuInfo *c, struct Env *e)
{
	if (e->env_status == ENV_DYING) {
		env_free(e);
		return;
	}
	assert(e->env_status != ENV_RUNNING);
	if (c->cpu_fpu_live)
		fpu_save(e);
	save_segments(e);
	movsl(&e->env_tf, cpu_frame(c), sizeof(e->env_tf) / sizeof(uint32_t));
	e->env_oncpu = false;
	c->cpu_env = NULL;
}

// If this CPU runs an environment, take it off. Its page directory stays loaded: the caller must
// load another page directory after it has released the lock.
HOT void
env_leave(void)
{
	assert(kernel_locked());
	if (curenv)
		env_save(thiscpu, curenv);
}

// Load the registers from tf, and go to user mode. This is step 4 of trapentry.S, but tf may also
// be in a struct Env. esp must stay on the kernel stack: an NMI can arrive at any instruction, and
// the CPU then pushes a frame below esp. If esp pointed into a struct Env, that frame would
// overwrite another struct Env.
HOT __attribute__((noinline)) void
env_pop_tf(struct Trapframe *tf)
{
#define FRAME(member) [member] "i"(offsetof(struct Trapframe, tf_##member))
#define REG(member)   [member] "i"(offsetof(struct Trapframe, tf_regs.reg_##member))
	__asm__ volatile(
	    "pushl %c[ss](%%eax); pushl %c[esp](%%eax); pushl %c[eflags](%%eax)\n\t"
	    "pushl %c[cs](%%eax); pushl %c[eip](%%eax)\n\t" // iret pops these words.
	    "movl %c[edi](%%eax), %%edi; movl %c[esi](%%eax), %%esi\n\t"
	    "movl %c[ebp](%%eax), %%ebp; movl %c[ebx](%%eax), %%ebx\n\t"
	    "movl %c[edx](%%eax), %%edx; movl %c[ecx](%%eax), %%ecx\n\t"
	    "movw %c[es](%%eax), %%es\n\t"
	    "movw %c[ds](%%eax), %%ds\n\t" // From here on, only ss is the kernel's data segment.
	    "movl %%ss:%c[eax](%%eax), %%eax\n\t"
	    "iret"
	    :
	    : "a"(tf), FRAME(ss), FRAME(esp), FRAME(eflags), FRAME(cs), FRAME(eip), FRAME(es),
	    FRAME(ds), REG(edi), REG(esi), REG(ebp), REG(ebx), REG(edx), REG(ecx), REG(eax)
	    : "memory");
	__builtin_unreachable();
}

// Run e on this CPU, instead of the previous environment. Releases the big lock. If e is still on
// this CPU, e's registers are at the top of the kernel stack, and e's page directory is loaded.
// Otherwise, e's page directory is loaded after the lock is released (tlb.c says why).
HOT void
env_run(struct Env *e)
{
	struct CpuInfo *c = thiscpu;
	struct Trapframe *tf = cpu_frame(c);

	assert(kernel_locked());
	if (e != c->cpu_env) {
		if (c->cpu_env)
			env_save(c, c->cpu_env);
		c->cpu_env = e;
		e->env_cpunum = c->cpu_id;
		e->env_oncpu = true;
		tf = &e->env_tf;
		load_fs_gs(&e->env_fs, &e->env_gs);
		assert(!(tf->tf_eflags & FL_PRIVILEGED)); // See user_flags_ok.
		if (!c->cpu_ticking)
			timer_start();
		probe(PROBE_RUN, e->env_id);
	}
	e->env_runs++;
	env_set_status(e, ENV_RUNNING);
	unlock_kernel(); // Exercise 5
	tlb_load(c, e->env_pgdir);
	tlb_leave_kernel(c);
	env_pop_tf(tf);
}
