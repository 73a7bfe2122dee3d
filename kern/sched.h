#ifndef JOS_KERN_SCHED_H
#define JOS_KERN_SCHED_H

#include <inc/types.h>

#include <kern/cpu.h>

// The scheduler (sched.c). The caller holds the big lock.

// Give this CPU's next turn to an environment, perhaps to the same one. Drops the lock.
void sched_yield(void) __attribute__((noreturn));

// Handle a tick of CPU c's timer. If the turn of its environment should end now, the environment
// becomes runnable, and the caller must call sched_yield.
void sched_tick(struct CpuInfo *c);

#endif // JOS_KERN_SCHED_H
