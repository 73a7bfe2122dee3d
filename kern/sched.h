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

// An environment has become runnable: wake an idle CPU, if there is one.
void sched_wake(void);

#endif // JOS_KERN_SCHED_H
