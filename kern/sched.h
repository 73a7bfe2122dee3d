#ifndef JOS_KERN_SCHED_H
#define JOS_KERN_SCHED_H

// Choosing what to run (sched.c). The caller holds the big lock.

// Run something else, or if there is nothing else the same again. Drops the lock.
void sched_yield(void) __attribute__((noreturn));

// There is one more to run: wake a CPU that sleeps, if one does.
void sched_wake(void);

#endif // JOS_KERN_SCHED_H
