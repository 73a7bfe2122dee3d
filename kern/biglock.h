#ifndef JOS_KERN_BIGLOCK_H
#define JOS_KERN_BIGLOCK_H

// The big kernel lock (biglock.c).

#include <inc/types.h>

#include <kern/panic.h>
#include <kern/probe.h>
#include <kern/spinlock.h>

// Only the CPU that holds this lock may use the kernel's data. A CPU takes the lock when it starts,
// and when it enters the kernel from user mode. It releases the lock before it returns to user mode
// or halts. A CPU must not take the lock twice, and interrupt_handler (trap.c) must not take it.
extern struct spinlock kernel_lock;

extern uint32_t sleepers; // Bit i is set while CPU i is halted and waits for the lock

// The slow paths of lock_kernel and unlock_kernel.
void lock_slowly(void);
void wake_sleeper(void);
void not_holding(const struct spinlock *lk);

// lock_kernel and unlock_kernel are inline functions, because every entry into the kernel calls
// both. biglock.c also compiles them as ordinary functions, so that GDB can call them.
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
	if (!spin_release(&kernel_lock))
		not_holding(&kernel_lock);
	if (sleepers)
		wake_sleeper();
}

// Return whether this CPU holds the big lock. Used in assertions. After a panic, the result is
// always true, because the monitor uses the kernel's data without the lock.
static inline bool
kernel_locked(void)
{
	return spin_holding(&kernel_lock) || panicstr;
}

#endif // JOS_KERN_BIGLOCK_H
