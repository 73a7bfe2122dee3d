// The timer of each CPU's local APIC, which ends time slices of 10 ms. The timer runs at bus speed,
// which differs between machines. So the kernel measures the timer with the 8254, whose speed is
// the same in every PC. Without local APICs, the kernel uses one CPU, which gets interrupts from
// the 8254 through the 8259. An idle CPU stops its timer, because a tick would end the halt.

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

// The length of a time slice
struct SliceLength {
	uint32_t lapic; // In ticks of the local APIC's timer; 0 without a local APIC
	uint32_t tsc;   // In ticks of the time stamp counter
};

static uint32_t
slice_ticks(uint32_t measured, uint32_t pit_ticks)
{
	return (uint64_t)measured * PIT_HZ / SLICES_PER_SECOND / pit_ticks;
}

// Measure the length of a time slice. All clocks are read before and after a loop, which need not
// take exactly 5 ms. The 8254 is read last before the loop, and first after it. So if an emulator
// pauses between two reads, the result is too large, never too small. The same is true if a pause
// makes the 8254's counter wrap. timer_calibrate takes the smallest of several results.
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
