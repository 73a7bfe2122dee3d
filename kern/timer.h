#ifndef JOS_KERN_TIMER_H
#define JOS_KERN_TIMER_H

#include <inc/types.h>

// The timer that ends time slices (timer.c).

// Measure the speed of this machine's timer, with interrupts off. This takes about 20 ms. The boot
// CPU calls timer_calibrate once, after lapic_init and pic_init.
void timer_calibrate(void);

// The length of a time slice: time_slice in ticks of the time stamp counter, timer_period in ticks
// of the local APIC's timer. If time_slice is 0 (set by kern/check/jitter.c), each timer tick ends
// a turn. The big lock protects both.
extern uint32_t time_slice;
extern uint32_t timer_period;

// Start and stop this CPU's timer, which sends the interrupt IRQ_TIMER every 10 ms. When env_run
// puts another environment on a CPU, it starts the timer unless cpu_ticking is set.
void timer_start(void);
void timer_stop(void);

#endif // JOS_KERN_TIMER_H
