#ifndef JOS_KERN_TRAP_H
#define JOS_KERN_TRAP_H

#include <inc/trap.h>

// Bytes from one vector's stub to the next in trapentry.S
#define STUB_SIZE 16

#ifndef __ASSEMBLER__

#include <inc/mmu.h>

#include <kern/cpu.h>
#include <kern/panic.h>
#include <kern/pmap.h>
#include <kern/probe.h>
#include <kern/sched.h>
#include <kern/spinlock.h>
#include <kern/tlb.h>

// Each CPU's table of gates, one for each vector.
extern struct Gatedesc idt[NCPU][256];

// Number of interrupts that no device of ours has sent. They do no harm, but should be few.
extern uint32_t spurious_interrupts;

// Fill in idt. The boot CPU calls it once, before trap_init_percpu.
void trap_init(void);

// Put the descriptor of a TSS into gdt[], `number` places after GD_TSS0. Returns its selector.
uint16_t tss_install(int number, const struct Taskstate *ts);

// Load this CPU's gates and its TSS. From here on cpunum() returns `cpu`, and a fault panics. It is
// the first function that a CPU calls in C, after env_init_percpu.
void trap_init_percpu(int cpu);

// Handle the trap whose frame is tf. Called by trapentry.S.
void trap(struct Trapframe *tf);

// The parts of trap() that challenge/sysenter.c needs too. c is this CPU.
//
// trap_enter: the CPU has left user mode. trap_lock: take the big lock. trap_leave: drop it and
// return to user mode, or, if the environment may not run any longer, call the scheduler instead.
static inline void
trap_enter(struct CpuInfo *c, struct Trapframe *tf)
{
	user_access_end(); // The gate does not clear EFLAGS.AC, and programs may set it.
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

// Print the trap of curenv, and destroy curenv.
void fatal_user_trap(struct Trapframe *tf);

void page_fault_handler(struct Trapframe *tf);
void print_trapframe(struct Trapframe *tf);
const char *trapname(uint32_t trapno);

#endif // !__ASSEMBLER__

#endif // JOS_KERN_TRAP_H
