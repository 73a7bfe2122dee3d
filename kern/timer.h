#ifndef JOS_KERN_TIMER_H
#define JOS_KERN_TIMER_H

#include <inc/types.h>

// The timer, which ends time slices (timer.c).

// Measure the speed of the timer, with interrupts off. This takes about 20 ms. The boot CPU calls
// timer_calibrate once, after lapic_init and pic_init.
void timer_calibrate(void);

// The length of a time slice in two units: time_slice counts ticks of the time stamp counter, and
// timer_period counts ticks of the local APIC's timer. If kern/check/jitter.c sets time_slice to 0,
// each timer tick ends a turn. The big lock protects both variables.
extern uint32_t time_slice;
extern uint32_t timer_period;

// Start and stop this CPU's timer, which sends the interrupt IRQ_TIMER every 10 ms. When env_run
// puts another environment on a CPU, and the timer is not running, env_run starts the timer.
void timer_start(void);
void timer_stop(void);

#endif // JOS_KERN_TIMER_H
