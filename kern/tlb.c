// TLB shootdown. A CPU keeps address translations in its TLB until it flushes the TLB. So if CPU A
// removes a mapping of an environment that runs on CPU B, A must make B flush its TLB (Intel,
// volume 3, section 4.10.5).
//
// A sets the flag cpu_pending_flush of B. If B is in user mode, A also sends B an interrupt, and
// waits until B has entered the kernel. If B is in the kernel, the flag is enough: B flushes its
// TLB before B touches user memory or returns to user mode. In this case A must not wait for B,
// because A holds the big lock, and B may be waiting for the lock with interrupts off.
// (challenge/sysentry.S answers some calls without the lock. B then counts as in user mode: B
// touches no user memory, and the interrupt arrives as soon as B is back in the program.)
//
// No flush is missed, because each CPU first writes and then reads:
//
//	CPU A:  cpu_pending_flush = 1;   then reads  cpu_in_user
//	CPU B:  cpu_in_user = 1;         then reads  cpu_pending_flush
//
// Both CPUs write with a locked instruction, and a later read cannot move before a locked
// instruction. So at least one CPU sees what the other CPU wrote. models/tlb.pml checks this.
//
// Loading a page directory is slow, because it empties the TLB. So when a CPU switches to another
// environment, it first releases the big lock, then loads the page directory, and then returns to
// user mode. After the release, the CPU touches no user memory. But the old page directory must not
// be freed before the load: tlb_unload waits until no CPU has the page directory loaded. The wait
// ends, because a CPU needs no lock to load another page directory.

#include <inc/assert.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <inc/env.h>
#include <kern/pmap.h>
#include <kern/probe.h>
#include <kern/spinlock.h>
#include <kern/tlb.h>

// The number of polls before an NMI is sent to a CPU that has not reacted to the interrupt. The
// polls take some milliseconds on a PC, and longer in an emulator. An early NMI does no harm.
#define POLLS_BEFORE_NMI 200000

// Make CPU number `cpu` enter the kernel, by an interrupt. The interrupt is sent even if
// cpu_in_user is not set, because the CPU may be about to set this flag. It then arrives before the
// first instruction in user mode. If the program has interrupts off (possible in QEMU: see
// trapcases.h), an NMI is sent. The NMI has no effect if the CPU is just executing the code in
// challenge/sysentry.S: then another NMI is sent.
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
