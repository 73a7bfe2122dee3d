#ifndef JOS_KERN_TRAP_H
#define JOS_KERN_TRAP_H

#include <inc/trap.h>

// The distance of one vector's code from the next one's in trapentry.S.
#define STUB_SIZE 16

#ifndef __ASSEMBLER__

#include <inc/mmu.h>

#include <kern/cpu.h>
#include <kern/init.h>
#include <kern/pmap.h>
#include <kern/probe.h>
#include <kern/sched.h>
#include <kern/spinlock.h>
#include <kern/tlb.h>

// Where the vectors lead to, on each CPU.
extern struct Gatedesc idt[NCPU][256];

// Interrupts that nobody had asked for. They do no harm, but should be few.
extern uint32_t spurious_interrupts;

// Make the tables of vectors. The boot CPU calls it once, before trap_init_percpu.
void trap_init(void);

// Put the descriptor of a TSS into gdt[]: the one of that number from GD_TSS0 on. Returns its
// selector.
uint16_t tss_install(int number, const struct Taskstate *ts);

// Load this CPU's own one, and its own TSS: from here on the CPU knows its number, cpu, and
// any fault is caught. The first thing that a CPU does in C, after env_init_percpu.
void trap_init_percpu(int cpu);

// The way in for all but system calls: called by trapentry.S with what is on the stack.
void trap(struct Trapframe *tf);

// Whether a trap frame may be loaded into user mode. A program with IOPL 3 uses all I/O ports and
// cli; a program with IF clear keeps its CPU; and a program in virtual-8086 mode gets both. No
// program has such flags where iret and popf work as Intel's manual says, but QEMU's iret loads VM
// together with any flags (volume 2, iret: that needs CPL 0).
//
// The invariant: every way into the kernel either checks this (trap, and syscall_int in
// sysentry.S) or makes it so (sysenter_entry), before any way out. So each frame that the kernel
// keeps is good; env_run asserts that no env_tf has VM or IOPL.
static inline bool
user_flags_ok(const struct Trapframe *tf)
{
	return (tf->tf_eflags & (FL_PRIVILEGED | FL_IF)) == FL_IF;
}

// The steps that each way in from user mode takes, on a CPU c: it has come; it waits for the big
// lock; it goes back, if its environment may still run, or else the scheduler finds another.
static inline void
trap_enter(struct CpuInfo *c, struct Trapframe *tf)
{
	user_access_end(); // The gate leaves AC as it was, and users may set it.
	probe(PROBE_ENTER, (uintptr_t)tf);
	tlb_enter_kernel(c);
}

static inline void
trap_lock(struct CpuInfo *c)
{
	lock_kernel(); // Exercise 5
	tlb_flush_pending(c);
}

static inline void
trap_leave(struct CpuInfo *c)
{
	if (c->cpu_ticked)
		sched_tick(c);
	if (!c->cpu_env || c->cpu_env->env_status != ENV_RUNNING)
		sched_yield();
	unlock_kernel();
	tlb_leave_kernel(c);
}

// End the current environment, and say where it was.
void fatal_user_trap(struct Trapframe *tf);

// Make a trap not have happened, for an environment that may not run now, or whose call shall
// be made again: when it runs, the trap comes again.
void trap_rewind(struct Trapframe *tf);

void page_fault_handler(struct Trapframe *tf);
void print_trapframe(struct Trapframe *tf);
const char *trapname(uint32_t trapno);

#endif // !__ASSEMBLER__

#endif // JOS_KERN_TRAP_H
