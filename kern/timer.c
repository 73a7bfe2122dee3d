// The clock that ends time slices: each CPU's local APIC has one, which runs at the
// speed of the machine's bus, whatever that is; so it is measured against the 8254,
// whose speed is the same in every PC. A machine without local APICs has one CPU, and
// there the 8254 itself interrupts, through the 8259. A CPU with nothing to run
// stops its clock, so that it can sleep.

#include <inc/assert.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/jitter.h>
#include <kern/kclock.h>
#include <kern/picirq.h>
#include <kern/timer.h>

#define SLICES_PER_SECOND 100
#define MEASUREMENTS      4
#define MEASURE_TICKS     (PIT_HZ / SLICES_PER_SECOND / 2) // Of the 8254: 5 ms

static uint32_t slice; // In the local APIC timer's ticks

// Return the length of a time slice, in ticks of this CPU's local APIC timer.
//
// Each pair of readings is taken at once, so it makes no difference how late the end of the
// 5 ms is noticed. An emulator that stands still within a pair, or for so long that the 8254's
// counter wraps, makes the result too large, never too small: in the first pair the local APIC
// timer is read first, in the second pair last.
static uint32_t
measure_slice(void)
{
	uint32_t pit_ticks;
	int patience = PIT_PATIENCE;

	lapic_timer_set(~0U);
	pit_start();
	uint32_t lapic_from = lapic_timer_left(), pit_from = pit_elapsed();
	do {
		pit_ticks = pit_elapsed() - pit_from;
	} while (pit_ticks < MEASURE_TICKS && --patience > 0);
	uint32_t lapic_ticks = lapic_from - lapic_timer_left();

	if (patience == 0)
		panic("the 8254 does not count");
	if (lapic_ticks == 0)
		panic("the timer of the local APIC does not count");
	return (uint64_t)lapic_ticks * PIT_HZ / SLICES_PER_SECOND / pit_ticks;
}

void
timer_calibrate(void)
{
	if (!lapicaddr) {
		pit_periodic(SLICES_PER_SECOND);
		return;
	}
	slice = measure_slice();
	for (int i = 1; i < MEASUREMENTS; i++)
		slice = MIN(slice, measure_slice());
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
