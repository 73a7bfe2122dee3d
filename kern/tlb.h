#ifndef JOS_KERN_TLB_H
#define JOS_KERN_TLB_H

#include <inc/memlayout.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/pmap.h>
#include <kern/probe.h>

// TLB shootdown: a CPU that removes a mapping makes other CPUs flush their TLBs (tlb.c).

// If a CPU runs an environment with this page directory, make that CPU flush its TLB before it
// touches user memory or executes another instruction in user mode. tlb_invalidate in pagetable.h
// calls tlb_shootdown. The caller holds the big lock.
void tlb_shootdown(pde_t *pgdir);

// Wait until no CPU has this page directory loaded. Then the caller can free the page directory.
// The caller holds the big lock, and has made sure that no CPU runs the environment any more.
void tlb_unload(pde_t *pgdir);

// Make another CPU enter the kernel. The caller holds the big lock. When force_into_kernel returns,
// that CPU is in the kernel, and stays in the kernel until the caller releases the lock.
void force_into_kernel(int cpu);

// An NMI has arrived at this CPU, c. Return whether force_into_kernel has sent it. If not, the NMI
// is from the hardware or a panic. The result is true once for each NMI of force_into_kernel.
static inline bool
tlb_take_nmi(struct CpuInfo *c)
{
	return xchg(&c->cpu_nmi_sent, 0);
}

// If a flush is pending for this CPU, c, flush its TLB.
void tlb_flush(struct CpuInfo *c);

// Called after this CPU, c, has entered the kernel from user mode, before it takes the big lock.
static inline void
tlb_enter_kernel(struct CpuInfo *c)
{
	xchg(&c->cpu_in_user, 0);
}

// Called after this CPU, c, has taken the big lock, before it touches user memory.
static inline void
tlb_flush_pending(struct CpuInfo *c)
{
	if (c->cpu_pending_flush)
		tlb_flush(c);
}

// Called after this CPU, c, has released the big lock, just before it returns to user mode.
static inline void
tlb_leave_kernel(struct CpuInfo *c)
{
	xchg(&c->cpu_in_user, 1);
	probe(PROBE_LEAVE, 0);
	tlb_flush_pending(c);
}

// Load the page directory pgdir into this CPU, c, if it is not loaded there yet.
static inline void
tlb_load(struct CpuInfo *c, pde_t *pgdir)
{
	if (c->cpu_pgdir != pgdir) {
		lcr3(PADDR(pgdir));
		c->cpu_pgdir = pgdir;
	}
}

#endif // JOS_KERN_TLB_H
