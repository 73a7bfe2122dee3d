// The timer of each CPU's local APIC, which ends time slices of 10 ms. The timer runs at bus speed,
// so it is measured against the 8254, whose speed is the same in every PC. Without local APICs
// there is one CPU, and the 8254 interrupts it through the 8259. An idle CPU stops its timer,
// because ticks would end its halt.

#include <inc/assert.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/dev/kclock.h>
#include <kern/dev/picirq.h>
#include <kern/timer.h>

#define SLICES_PER_SECOND 100
#define MEASUREMENTS      4
#define MEASURE_TICKS     (PIT_HZ / SLICES_PER_SECOND / 2) // 5 ms, in ticks of the 8254

HOT_DATA uint32_t time_slice;
HOT_DATA uint32_t timer_period;

// The length of a time slice, in ticks of the local APIC's timer and of the time stamp counter.
struct SliceLength {
	uint32_t lapic; // 0 without a local APIC
	uint32_t tsc;
};

static uint32_t
slice_ticks(uint32_t measured, uint32_t pit_ticks)
{
	return (uint64_t)measured * PIT_HZ / SLICES_PER_SECOND / pit_ticks;
}

// Measure the length of a time slice. All clocks are read together at the start, and together again
// at the end, so the loop need not end exactly after 5 ms. The 8254 is read last at the start and
// first at the end. If an emulator pauses between two readings, or pauses until the 8254's counter
// wraps, the result is too large, never too small. (timer_calibrate takes the smallest result.)
static struct SliceLength
measure_slice(void)
{
	uint32_t pit_ticks;
	int patience = PIT_MAX_POLLS;

	lapic_timer_set(~0U);
	pit_start();
	uint32_t tsc_from = read_tsc(), lapic_from = lapic_timer_left(), pit_from = pit_elapsed();
	do {
		pit_ticks = (uint16_t)(pit_elapsed() - pit_from); // The 16-bit counter may wrap.
	} while (pit_ticks < MEASURE_TICKS && --patience > 0);
	uint32_t lapic_ticks = lapic_from - lapic_timer_left();
	uint32_t tsc_ticks = (uint32_t)read_tsc() - tsc_from;

	if (patience == 0)
		panic("the 8254 does not count");
	if (lapicaddr && lapic_ticks == 0)
		panic("the timer of the local APIC does not count");
	return (struct SliceLength){ slice_ticks(lapic_ticks, pit_ticks),
		slice_ticks(tsc_ticks, pit_ticks) };
}

void
timer_calibrate(void)
{
	for (int i = 0; i < MEASUREMENTS; i++) {
		struct SliceLength slice = measure_slice();
		if (i > 0 && slice.tsc >= time_slice)
			continue;
		timer_period = slice.lapic;
		time_slice = slice.tsc;
	}
	if (lapicaddr)
		lapic_timer_set(0);
	else
		pit_periodic(SLICES_PER_SECOND);
}

void
timer_start(void)
{
	if (lapicaddr)
		lapic_timer_set(timer_period);
	thiscpu->cpu_ticking = true;
}

void
timer_stop(void)
{
	if (lapicaddr && thiscpu->cpu_ticking)
		lapic_timer_set(0);
	thiscpu->cpu_ticking = false;
}
