// The clock that ends time slices: each CPU's local APIC has one, which runs at the
// speed of the machine's bus, whatever that is; so it is measured against the 8254,
// whose speed is the same in every PC. A machine without local APICs has one CPU, and
// there the 8254 itself interrupts, through the 8259. A CPU with nothing to run
// stops its clock, so that it can sleep.

#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/jitter.h>
#include <kern/kclock.h>
#include <kern/picirq.h>
#include <kern/timer.h>

#define SLICES_PER_SECOND 100
#define MEASUREMENTS      4
#define MEASURE_US        (1000000 / SLICES_PER_SECOND / MEASUREMENTS)

static uint32_t slice; // In the local APIC timer's ticks

void
timer_calibrate(void)
{
	if (!lapicaddr) {
		pit_periodic(SLICES_PER_SECOND);
		return;
	}
	// The least of some short measurements: an emulator may stand still in one.
	for (int i = 0; i < MEASUREMENTS; i++) {
		lapic_timer_set(~0U);
		uint32_t before = lapic_timer_left();
		udelay(MEASURE_US);
		uint32_t ticks = (before - lapic_timer_left()) * MEASUREMENTS;
		if (i == 0 || ticks < slice)
			slice = ticks;
	}
	lapic_timer_set(0);
}

void
timer_start(void)
{
	if (lapicaddr)
		lapic_timer_set(jitter_slice(slice));
	thiscpu->cpu_ticking = !jitter_seed; // Or else the next slice has another length.
}

void
timer_stop(void)
{
	if (lapicaddr && (thiscpu->cpu_ticking || jitter_seed))
		lapic_timer_set(0);
	thiscpu->cpu_ticking = false;
}
