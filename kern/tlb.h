#ifndef JOS_KERN_TLB_H
#define JOS_KERN_TLB_H

#include <inc/memlayout.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/pmap.h>
#include <kern/probe.h>

// TLB shootdown (tlb.c), and what each CPU does for it on entry into and return from the kernel.

// Make every CPU that runs an environment with this page directory flush its TLB before the CPU
// executes another instruction in user mode, or touches user memory. Called by tlb_invalidate in
// pagetable.h. The caller holds the big lock.
void tlb_shootdown(pde_t *pgdir);

// Wait until no CPU has this page directory loaded, so that it can be freed. The caller holds the
// big lock, and no CPU runs its environment.
void tlb_unload(pde_t *pgdir);

// Make another CPU leave user mode. The caller holds the big lock. When force_into_kernel returns,
// the other CPU is in the kernel, and cannot return to user mode before the caller drops the lock.
void force_into_kernel(int cpu);

// Return whether force_into_kernel sent the NMI that has arrived at this CPU, c; true once per NMI
// that it sent. Otherwise the hardware or a panic has sent the NMI.
static inline bool
tlb_take_nmi(struct CpuInfo *c)
{
	return xchg(&c->cpu_nmi_sent, 0);
}

// Flush the TLB of this CPU, c, if a flush is pending.
void tlb_flush(struct CpuInfo *c);

// Called when this CPU, c, has entered the kernel from user mode, before it waits for the big lock.
static inline void
tlb_enter_kernel(struct CpuInfo *c)
{
	xchg(&c->cpu_in_user, 0);
}

// Called when this CPU, c, has taken the big lock: from now on it may touch user memory.
static inline void
tlb_flush_pending(struct CpuInfo *c)
{
	if (c->cpu_pending_flush)
		tlb_flush(c);
}

// Called when this CPU, c, has dropped the big lock and is about to return to user mode.
static inline void
tlb_leave_kernel(struct CpuInfo *c)
{
	xchg(&c->cpu_in_user, 1);
	probe(PROBE_LEAVE, 0);
	tlb_flush_pending(c);
}

// Load a page directory into this CPU, c, unless it is already loaded.
static inline void
tlb_load(struct CpuInfo *c, pde_t *pgdir)
{
	if (c->cpu_pgdir != pgdir) {
		lcr3(PADDR(pgdir));
		c->cpu_pgdir = pgdir;
	}
}

#endif // JOS_KERN_TLB_H
