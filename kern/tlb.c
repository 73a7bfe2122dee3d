// TLB shootdown. A CPU keeps translations in its TLB until it flushes them. So a CPU that removes a
// mapping must make each other CPU that runs the environment flush, too (Intel, volume 3, section
// 4.10.5).
//
// It sets cpu_pending_flush of the other CPU. If that CPU is in user mode, it also sends an
// interrupt, and waits until that CPU has entered the kernel. A CPU in the kernel needs no
// interrupt, and waiting for it could be a deadlock, because it may be waiting for the big lock
// with interrupts off. It flushes before it touches user memory or returns to user mode. (The quick
// answers of challenge/sysentry.S count as user mode: they touch no user memory, and the interrupt
// comes as soon as they are back.) Of the two CPUs
//
//	this CPU:       cpu_pending_flush = 1;   then reads  cpu_in_user
//	the other CPU:  cpu_in_user = 1;         then reads  cpu_pending_flush
//
// at least one sees what the other wrote: both write by a locked instruction, and no read can move
// before that. models/tlb.pml checks this.
//
// Loading a page directory takes long, because it empties the TLB. So a CPU that switches to
// another environment loads the page directory after it has dropped the big lock, just before it
// returns to user mode; until then it touches no user memory. The old page directory must not be
// freed while it is still loaded, so tlb_unload waits for that. The other CPU needs no lock to get
// there, so the wait ends.

#include <inc/assert.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <inc/env.h>
#include <kern/pmap.h>
#include <kern/probe.h>
#include <kern/spinlock.h>
#include <kern/tlb.h>

// Polls before a CPU that does not take an interrupt gets an NMI: some milliseconds on a PC, longer
// in an emulator. An early NMI does no harm.
#define POLLS_BEFORE_NMI 200000

// The interrupt is sent even if cpu_in_user is not set, because the CPU may be about to set it; the
// interrupt then arrives before its first instruction in user mode. If its program has interrupts
// off (see user_flags_ok), only an NMI arrives. If the NMI arrives in challenge/sysentry.S, the CPU
// returns to user mode at once: then another NMI is sent.
void
force_into_kernel(int cpu)
{
	struct CpuInfo *c = &cpus[cpu];

	assert(kernel_locked());
	lapic_ipi(cpu, T_IPI_WAKE);
	for (uint32_t polls = 1; c->cpu_in_user; polls++) {
		if (polls % POLLS_BEFORE_NMI == 0 && !xchg(&c->cpu_nmi_sent, 1))
			lapic_nmi(cpu);
		cpu_pause();
	}
}

void
tlb_flush(struct CpuInfo *c)
{
	probe(PROBE_FLUSHED, 0);
	if (xchg(&c->cpu_pending_flush, 0))
		lcr3(rcr3());
	probe(PROBE_FLUSHED, 0);
}

void
tlb_unload(pde_t *pgdir)
{
	assert(kernel_locked());
	if (thiscpu->cpu_pgdir == pgdir)
		tlb_load(thiscpu, kern_pgdir);
	for (int i = 0; i < ncpu; i++) {
		while (cpus[i].cpu_pgdir == pgdir)
			cpu_pause();
	}
}

void
tlb_shootdown(pde_t *pgdir)
{
	assert(kernel_locked());
	for (int i = 0; i < ncpu; i++) {
		if (cpus[i].cpu_env && cpus[i].cpu_env->env_pgdir == pgdir) {
			xchg(&cpus[i].cpu_pending_flush, 1);
			probe(PROBE_FLUSH, i);
			if (cpus[i].cpu_in_user)
				force_into_kernel(i);
		}
	}
}
