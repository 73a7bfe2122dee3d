#ifndef JOS_KERN_TLB_H
#define JOS_KERN_TLB_H

#include <inc/memlayout.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/pmap.h>

// Mappings that go away go away everywhere (tlb.c).

// Make every CPU that runs an environment with this page directory flush its TLB before the CPU
// executes another instruction in user mode, or touches user memory. The caller holds the big lock.
void tlb_shootdown(pde_t *pgdir);

// Wait until no CPU has this page directory loaded, so that it can be freed. The caller holds
// the big lock, and no CPU runs the environment whose it was.
void tlb_unload(pde_t *pgdir);

// Make another CPU leave user mode. When this returns, that CPU is in the kernel, and cannot
// go back before the caller drops the big lock, which it holds. A CPU that does not take the
// interrupt is sent an NMI.
void tlb_call_in(int cpu);

// Whether an NMI that has arrived at this CPU, c, is tlb_call_in's. True once for each that was
// sent. Otherwise it is the hardware's, or a panic's.
static inline bool
tlb_take_nmi(struct CpuInfo *c)
{
	return xchg(&c->cpu_nmi_sent, 0);
}

// What a CPU owes, in cpu_tlb_debt: to flush its TLB; and where there is jitter, to be slow.
#define TLB_FLUSH  1
#define TLB_JITTER 2

// Pay it, the flush once.
void tlb_pay(struct CpuInfo *c);

// These are what a CPU, c, does on its way in and out. It came from user mode. Before it
// waits for the big lock.
static inline void
tlb_enter_kernel(struct CpuInfo *c)
{
	xchg(&c->cpu_in_user, 0);
}

// It has the big lock, and may touch user memory from now on.
static inline void
tlb_pay_debt(struct CpuInfo *c)
{
	if (c->cpu_tlb_debt)
		tlb_pay(c);
}

// It is about to go to user mode, and has dropped the lock.
static inline void
tlb_leave_kernel(struct CpuInfo *c)
{
	xchg(&c->cpu_in_user, 1);
	tlb_pay_debt(c);
}

// Load a page directory into this CPU, c, unless it is loaded.
static inline void
tlb_load(struct CpuInfo *c, pde_t *pgdir)
{
	if (c->cpu_pgdir != pgdir) {
		lcr3(PADDR(pgdir));
		c->cpu_pgdir = pgdir;
	}
}

#endif // JOS_KERN_TLB_H
