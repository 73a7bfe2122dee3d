// TLB shootdown. A CPU keeps translations in its TLB until it flushes the TLB. So when CPU A
// removes a mapping, A must make each other CPU that runs the environment flush its TLB (Intel,
// volume 3, section 4.10.5).
//
// CPU A sets cpu_pending_flush of each such CPU, B. If B is in user mode, A also sends B an
// interrupt, and waits until B has entered the kernel. If B is in the kernel, no interrupt is
// needed, because B flushes its TLB before B touches user memory or returns to user mode. A must
// not wait for B in this case: B may be waiting, with interrupts off, for the big lock, which A
// holds. (The quick answers of challenge/sysentry.S count as user mode: they touch no user memory,
// and the interrupt arrives as soon as the CPU is back in the program.)
//
// No flush is missed, because each CPU first writes and then reads:
//
//	CPU A:  cpu_pending_flush = 1;   then reads  cpu_in_user
//	CPU B:  cpu_in_user = 1;         then reads  cpu_pending_flush
//
// At least one of the two CPUs sees what the other CPU wrote: both write with a locked instruction,
// and no read can move before a locked instruction. models/tlb.pml checks this.
//
// Loading a page directory is slow, because it empties the TLB. So a CPU that switches to another
// environment loads the page directory after it has dropped the big lock, just before it returns to
// user mode; until then the CPU touches no user memory. The old page directory must not be freed
// while a CPU has it loaded, so tlb_unload waits until no CPU has it loaded. The wait ends, because
// a CPU needs no lock to load another page directory.

#include <inc/assert.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <inc/env.h>
#include <kern/pmap.h>
#include <kern/probe.h>
#include <kern/spinlock.h>
#include <kern/tlb.h>

// Polls before force_into_kernel sends an NMI to a CPU that has not taken the interrupt. They take
// some milliseconds on a PC, and longer in an emulator. An early NMI does no harm.
#define POLLS_BEFORE_NMI 200000

// Make CPU `cpu` enter the kernel. The interrupt is sent even if cpu_in_user is not set, because
// that CPU may be about to set it; the interrupt then arrives before its first instruction in user
// mode. If its program runs with interrupts off (QEMU allows this: trapcases.h), only an NMI can
// reach it. If the NMI arrives in challenge/sysentry.S, the CPU returns to user mode at once; then
// another NMI is sent.
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
