// Each CPU remembers translations in its TLB, and forgets them only when it is told
// to. So a CPU that takes a mapping away must tell any other CPU that is running the
// environment whose it was (a "shootdown": Intel, volume 3, section 4.10.5).
//
// It notes that the other CPU owes a flush. If that one is in user mode, it sends
// an interrupt, and waits until it has entered the kernel. One that is in the kernel
// already needs no interrupt, and nobody waits for it, since it may itself be waiting
// for the lock, with interrupts off: it pays its debt before it touches user memory
// or returns to it. (What sysentry.S does at once counts as user mode: it
// touches no user memory, and the interrupt comes as soon as it is back.) Of the two
//
//	this CPU:   cpu_pending_flush |= TLB_FLUSH;  then reads  cpu_in_user
//	the other:  cpu_in_user = 1;            then reads  cpu_pending_flush
//
// at least one sees what the other wrote, because both write by a locked instruction, past
// which no read can move.
//
// To load another page directory takes long, since it empties the TLB. So a CPU that goes from
// one environment to another does that when it has dropped the lock, just before it
// goes to user mode (and pays its debt): until then it touches no user memory. But the old page
// directory may not be freed before: who frees one waits for that (tlb_unload). The other
// CPU needs no lock to get there, so this cannot be for ever.

#include <inc/assert.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <inc/env.h>
#include <kern/pmap.h>
#include <kern/probe.h>
#include <kern/spinlock.h>
#include <kern/tlb.h>

// Polls of a CPU that was sent an interrupt, before it is sent an NMI: some milliseconds on a PC,
// and longer in an emulator. An NMI that is sent too early does no harm.
#define CALL_IN_POLLS 200000

// The CPU may be on its way to user mode, and not have set cpu_in_user yet: so the interrupt is
// sent in any case, and arrives before the CPU's first instruction there. If its program has
// interrupts off (see user_flags_ok), only an NMI gets through. An NMI may find the CPU in
// sysentry.S, from where it goes back to user mode at once: then the next NMI is sent.
void
force_into_kernel(int cpu)
{
	struct CpuInfo *c = &cpus[cpu];

	assert(kernel_locked());
	lapic_ipi(cpu, T_IPI_WAKE);
	for (uint32_t polls = 1; c->cpu_in_user; polls++) {
		if (polls % CALL_IN_POLLS == 0 && !xchg(&c->cpu_nmi_sent, 1))
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
