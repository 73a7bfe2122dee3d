#ifndef JOS_KERN_BIGLOCK_H
#define JOS_KERN_BIGLOCK_H

// The big kernel lock (biglock.c).

#include <inc/types.h>

#include <kern/panic.h>
#include <kern/probe.h>
#include <kern/spinlock.h>

// Only the CPU that holds this lock may use the kernel's data. A CPU takes the lock when it enters
// the kernel from user mode and when it starts, and drops the lock before it returns to user mode
// or halts. A CPU must not take the lock twice, and must not take it in an interrupt handler.
extern struct spinlock kernel_lock;

extern uint32_t sleepers; // The CPUs that halt while they wait for the lock: one bit per CPU

// The slow paths of the two functions below.
void lock_slowly(void);
void wake_sleeper(void);
void not_holding(const struct spinlock *lk);

// These two functions are inlined, because every entry into the kernel calls both. biglock.c also
// compiles them as ordinary functions, so that GDB can call them.
#ifndef BIGLOCK_INLINE
#define BIGLOCK_INLINE static inline
#endif

BIGLOCK_INLINE void
lock_kernel(void)
{
	if (!spin_try(&kernel_lock))
		lock_slowly();
	probe(PROBE_LOCK_TAKEN, 0);
}

BIGLOCK_INLINE void
unlock_kernel(void)
{
	probe(PROBE_LOCK_DROP, 0);
	if (!spin_drop(&kernel_lock))
		not_holding(&kernel_lock);
	if (sleepers)
		wake_sleeper();
}

// Return whether this CPU holds the big lock, for assertions. After a panic this is always true,
// because the monitor then uses the kernel's data without the lock.
static inline bool
kernel_locked(void)
{
	return spin_holding(&kernel_lock) || panicstr;
}

#endif // JOS_KERN_BIGLOCK_H
