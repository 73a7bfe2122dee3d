// The life of an environment: allocated, run, put aside, freed. (load.c gives it its
// program.)
//
//	          env_alloc               env_start              env_run
//	ENV_FREE -----------> NOT_RUNNABLE --------> RUNNABLE <----------> RUNNING
//	   ^                  ^   |  env_stop            |      its slice   |  |
//	   |                  +---|----------------------+--- is over ------+  |
//	   |                      |                      |                     |
//	   +------ ENV_DYING <----+------- env_free -----+---------------------+
//
// ENV_DYING lasts until all of its memory is free (end.c): mostly no longer than env_free. But
// env_destroy returns at once if another CPU has the environment, and that CPU calls env_free.
//
// env_status is written by env_set_status alone (env.h), which keeps the set of runnable
// environments in step with it. While an environment is on a CPU (env_oncpu), its
// registers are at the top of that CPU's kernel stack or in the CPU itself, and
// only that CPU may put it aside; another one that wants it stopped or destroyed
// sets its status and sends an interrupt. Else its registers are in env_tf.

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

// The two counters in an id: see envid_t.
#define ID_LOW_SHIFT  LOG2NENV
#define ID_LOW_MAX    3u
#define ID_HIGH_SHIFT 12
#define ID_HIGH_MAX   0x7FFFFu

HOT_DATA struct Env *envs;
struct Env *env_free_list; // In the order of the slots at first

// The segments: flat ones of 4 GB, for the kernel and for users, and each CPU's two TSSs, which
// trap_init_percpu and doublefault_init_percpu fill in. The privilege level is all that
// they are there for.
HOT_DATA struct Segdesc gdt[(GD_TSS0 >> 3) + 2 * NCPU] = {
	SEG_NULL,
	[GD_KT >> 3] = SEG(STA_X | STA_R, 0x0, 0xFFFFFFFF, 0),
	[GD_KD >> 3] = SEG(STA_W, 0x0, 0xFFFFFFFF, 0),
	[GD_UT >> 3] = SEG(STA_X | STA_R, 0x0, 0xFFFFFFFF, 3),
	[GD_UD >> 3] = SEG(STA_W, 0x0, 0xFFFFFFFF, 3),
};

static const struct Pseudodesc gdt_pd = { sizeof(gdt) - 1, (uint32_t)gdt };

// Put all environments on the free list, so that the first one gets slot 0.
void
env_init(void)
{
	for (int i = NENV; i-- > 0;) {
		envs[i].env_link = env_free_list;
		env_free_list = &envs[i];
	}
}

// Load our segments into this CPU. fs and gs are not used: null.
void
env_init_percpu(void)
{
	lgdt(&gdt_pd);
	__asm__ volatile("movw %w0, %%ds; movw %w0, %%es; movw %w0, %%ss" : : "r"(GD_KD));
	__asm__ volatile("movw %w0, %%fs; movw %w0, %%gs" : : "r"(0));
	__asm__ volatile("ljmp %0, $1f; 1:" : : "i"(GD_KT));
	lldt(0);
}

// ---- Status ----

// Let an environment run. If another CPU still has it, though it was told to stop,
// that CPU just goes on with it. If it was stopped while it waited, it waits on; only
// one that waits and was not stopped is told to do so no longer.
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
		wait_break_off(e);
}

// Let an environment not run until env_start, even if what it waits for comes. If
// another CPU has it, that CPU is called into the kernel, where it puts it aside as
// soon as it has the lock. (One that has just made a single step is told of that first.)
// An orphan that stops itself ends: no environment could start it.
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

// ---- Coming into being ----

// A page directory: the kernel's above UTOP, nothing below. Its last word on
// UVPT is that it is the page table of itself.
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

// The id that follows the last one of this slot: see envid_t.
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

// Make a new environment, stopped, with no memory, registers zero but for the
// segments, the stack pointer and the interrupt flag. 0 and *newenv_store; or
// -E_NO_FREE_ENV, or -E_NO_MEM.
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
	*newenv_store = e;
	cprintf("[%08x] new env %08x\n", curenv ? curenv->env_id : 0, e->env_id);
	return 0;
}

// ---- The end ----

size_t envs_dying;

// From here on e is dying. It is on no other CPU; if it is on this one, curenv is NULL afterwards.
static void
begin_end(struct Env *e)
{
	assert(kernel_locked());
	assert(!e->env_oncpu || e == curenv);
	cprintf("[%08x] free env %08x\n", curenv ? curenv->env_id : 0, e->env_id);
	if (e->env_status != ENV_DYING)
		envs_dying++;
	env_set_status(e, ENV_DYING);
	e->env_ipc_recving = false;
	wait_leave(e);
	fpu_drop(e);
	tlb_unload(e->env_pgdir);
	if (e == curenv)
		curenv = NULL;
	e->env_oncpu = false;
}

// The scheduler frees e's memory in e's turns.
static void
begin_turns(struct Env *e)
{
	runq_add(ENVX(e->env_id));
	runq_wake();
}

// End e and free its memory, now or, if it has much, in its turns. It must not be on another
// CPU; if it is on this one, curenv is NULL afterwards.
void
env_free(struct Env *e)
{
	begin_end(e);
	env_end_part(e);
	if (e->env_status == ENV_DYING)
		begin_turns(e);
}

// End an environment. If another CPU has it, it has run its last instruction when this returns,
// and that CPU calls env_free as soon as it has the lock.
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
		begin_end(e);
		begin_turns(e);
	}
}

// The environment of that id: 0 and *env_store, or -E_BAD_ENV and NULL. Id 0 is
// the caller. With checkperm it must be the caller or a direct child of it.
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

// ---- On a CPU, and off it ----

// Where e's registers are. If another CPU is running it, they are only as new as
// its last entry into the kernel.
struct Trapframe *
env_frame(struct Env *e)
{
	return e->env_oncpu ? cpu_frame(&cpus[e->env_cpunum]) : &e->env_tf;
}

// After sysenter from virtual-8086 mode (sysentry.S) fs and gs may hold values that are no
// selectors, which cannot be loaded again: make these null.
static __attribute__((noinline)) void
check_segments(struct Env *e)
{
	if (!is_user_selector(e->env_fs))
		e->env_fs = 0;
	if (!is_user_selector(e->env_gs))
		e->env_gs = 0;
}

// Save the fs and gs that this CPU has for e. The kernel itself does not use them, nor do most
// programs.
static inline void
save_segments(struct Env *e)
{
	store_fs_gs(&e->env_fs, &e->env_gs);
	if (e->env_fs | e->env_gs)
		check_segments(e);
}

// Give child, which has not run yet, curenv's registers, except those of the floating-point unit.
void
env_copy_registers(struct Env *child)
{
	assert(kernel_locked());
	save_segments(curenv);
	child->env_fs = curenv->env_fs;
	child->env_gs = curenv->env_gs;
	child->env_tf = *env_frame(curenv);
}

// Take e, c's environment, off that CPU, which is this one, if it has not been destroyed.
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

// Take curenv, if there is one, off this CPU. The page directory stays loaded: the
// caller loads another when it has dropped the lock.
HOT void
env_leave(void)
{
	assert(kernel_locked());
	if (curenv)
		env_save(thiscpu, curenv);
}

// Go to user mode with the registers in tf. This is step 4 of trapentry.S, but tf may be anywhere:
// at the top of the kernel stack or in a struct Env. esp stays on the kernel stack, because an NMI may
// come at any instruction and writes below esp; if esp pointed to env_tf, it would write to another
// struct Env.
HOT void
env_pop_tf(struct Trapframe *tf)
{
#define FRAME(member) [member] "i"(offsetof(struct Trapframe, tf_##member))
#define REG(member)   [member] "i"(offsetof(struct Trapframe, tf_regs.reg_##member))
	__asm__ volatile("pushl %c[ss](%%eax); pushl %c[esp](%%eax); pushl %c[eflags](%%eax)\n\t"
			 "pushl %c[cs](%%eax); pushl %c[eip](%%eax)\n\t" // For iret
			 "movl %c[edi](%%eax), %%edi; movl %c[esi](%%eax), %%esi\n\t"
			 "movl %c[ebp](%%eax), %%ebp; movl %c[ebx](%%eax), %%ebx\n\t"
			 "movl %c[edx](%%eax), %%edx; movl %c[ecx](%%eax), %%ecx\n\t"
			 "movw %c[es](%%eax), %%es\n\t"
			 "movw %c[ds](%%eax), %%ds\n\t" // Now only ss is the kernel's.
			 "movl %%ss:%c[eax](%%eax), %%eax\n\t"
			 "iret"
	    : : "a"(tf), FRAME(ss), FRAME(esp), FRAME(eflags), FRAME(cs), FRAME(eip), FRAME(es),
	    FRAME(ds), REG(edi), REG(esi), REG(ebp), REG(ebx), REG(edx), REG(ecx), REG(eax)
	    : "memory");
	__builtin_unreachable();
}

// Run e on this CPU instead of the environment that it ran before. Drops the big lock. If this CPU
// ran e before, e's registers are still at the top of the kernel stack, and its page directory is
// still loaded. Otherwise the page directory is loaded after the lock is dropped: see tlb.c.
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
