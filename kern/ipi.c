// Using the local APIC: interrupts to other CPUs, the end of an interrupt, and the timer. lapic.c
// sets up the local APIC.

#include <inc/assert.h>

#include <kern/cpu.h>
#include <kern/ipi.h>
#include <kern/probe.h>

#define ICR_MAX_POLLS 10000 // Maximum number of polls until an interrupt has been sent

volatile uint32_t *lapic;

void
icr_send(uint8_t apicid, uint32_t command)
{
	lapic_write(ICRHI, (uint32_t)apicid << 24);
	lapic_write(ICRLO, command);
	for (int polls = 0; polls < ICR_MAX_POLLS; polls++) {
		if (!(lapic_read(ICRLO) & ICR_PENDING))
			return;
	}
}

// Send an interrupt with this vector to another CPU. That CPU handles the interrupt when it has
// interrupts on, which means in user mode or during a halt.
void
lapic_ipi(int cpu, int vector)
{
	assert(lapic && cpu >= 0 && cpu < ncpu);
	probe(PROBE_IPI, cpu << 8 | vector);
	icr_send(cpus[cpu].cpu_apicid, ICR_ASSERT | vector);
}

// Send an NMI to another CPU. The NMI arrives even while that CPU has interrupts off.
void
lapic_nmi(int cpu)
{
	if (lapic)
		icr_send(cpus[cpu].cpu_apicid, ICR_ASSERT | ICR_NMI);
}

// Tell the local APIC that the interrupt in service has been handled.
void
lapic_eoi(void)
{
	if (lapic)
		lapic_write(EOI, 0);
}

// Make this CPU's timer send IRQ_TIMER every `count` ticks. If count is 0, stop the timer.
void
lapic_timer_set(uint32_t count)
{
	if (lapic)
		lapic_write(TIMER_INITIAL, count);
}

uint32_t
lapic_timer_left(void)
{
	return lapic ? lapic_read(TIMER_CURRENT) : 0;
}
