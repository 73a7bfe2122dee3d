#ifndef JOS_KERN_TIMER_H
#define JOS_KERN_TIMER_H

#include <inc/types.h>

// The clock that ends time slices (timer.c).

// Find out how fast this machine's timer is: takes some 20 ms, with interrupts off.
// The boot CPU calls it, once, after lapic_init and pic_init.
void timer_calibrate(void);

// The length of a time slice: in ticks of the time stamp counter, and of the local APIC's timer.
// With a time_slice of 0, each tick of the timer ends a turn. Read, and changed by
// kern/check/jitter.c, with the big lock held.
extern uint32_t time_slice;
extern uint32_t timer_period;

// Interrupt this CPU every 10 ms from now on, as IRQ_TIMER; or no more. It is started for an
// environment that comes, unless cpu_ticking says that it runs.
void timer_start(void);
void timer_stop(void);

#endif // JOS_KERN_TIMER_H
