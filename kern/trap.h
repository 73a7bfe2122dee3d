#ifndef JOS_KERN_TRAP_H
#define JOS_KERN_TRAP_H

#include <inc/trap.h>

// The size of each vector's stub in trapentry.S, in bytes
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

// The interrupt descriptor tables: one table per CPU, with one gate per vector.
extern struct Gatedesc idt[NCPU][256];

// Number of interrupts that no known device has sent. They do no harm, but should be rare.
extern uint32_t spurious_interrupts;

// Fill in idt. The boot CPU calls trap_init once, before trap_init_percpu.
void trap_init(void);

// Write the descriptor of a TSS to gdt[], `number` entries after GD_TSS0. Returns its selector.
uint16_t tss_install(int number, const struct Taskstate *ts);

// Load the interrupt table and the TSS of this CPU, which has number `cpu`. After that, cpunum()
// works, and each fault panics. Each CPU calls trap_init_percpu early, after env_init_percpu.
void trap_init_percpu(int cpu);

// Handle the trap whose frame is tf. Called by trapentry.S.
void trap(struct Trapframe *tf);

// The parts of trap(), which syscall_fast (syscall.c) also calls. c is this CPU.
//
// trap_enter records that the CPU has left user mode. trap_lock takes the big lock. trap_leave
// releases the lock before the return to user mode. But if the environment may no longer run,
// trap_leave calls the scheduler, and does not return.
static inline void
trap_enter(struct CpuInfo *c, struct Trapframe *tf)
{
	user_access_end(); // A program may have set EFLAGS.AC, and a trap does not clear it.
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

// Print the frame tf of a trap that the kernel does not handle, and destroy curenv.
void fatal_user_trap(struct Trapframe *tf);

void page_fault_handler(struct Trapframe *tf);
void print_trapframe(struct Trapframe *tf);
const char *trapname(uint32_t trapno);

#endif // !__ASSEMBLER__

#endif // JOS_KERN_TRAP_H
