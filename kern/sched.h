#ifndef JOS_KERN_SCHED_H
#define JOS_KERN_SCHED_H

#include <inc/types.h>

struct CpuInfo;

// Choosing what to run (sched.c). The caller holds the big lock.

// Run something else, or if there is nothing else the same again. Drops the lock.
void sched_yield(void) __attribute__((noreturn));

// End the turn of this CPU's environment if a tick of its timer is the nearest one to the end of
// the turn: the environment becomes runnable, and the caller calls sched_yield.
void sched_tick(struct CpuInfo *c);

// How many turns sched_yield has begun.
extern uint32_t sched_turns;

// There is one more to run: if that is still so when the lock is dropped, a CPU that sleeps
// is woken, if one does.
void sched_wake(void);

// The lock is about to be dropped: choose CPUs for those environments. Returns the ones that
// halt, a bit each: to be sent a T_IPI_WAKE when it has been dropped.
uint32_t sched_pay_wakes(void);

#endif // JOS_KERN_SCHED_H
