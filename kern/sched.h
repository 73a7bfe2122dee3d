#ifndef JOS_KERN_SCHED_H
#define JOS_KERN_SCHED_H

#include <inc/types.h>

#include <kern/cpu.h>

// The scheduler (sched.c). Callers hold the big lock.

// Choose the environment that gets the next turn on this CPU, and run it. Releases the big lock.
void sched_yield(void) __attribute__((noreturn));

// Handle a timer tick of this CPU, c. If the turn of c's environment should end now, the
// environment becomes runnable, and the caller must call sched_yield.
void sched_tick(struct CpuInfo *c);

#endif // JOS_KERN_SCHED_H
