#ifndef JOS_KERN_SPINLOCK_H
#define JOS_KERN_SPINLOCK_H

#include <inc/types.h>

#include <kern/cpu.h>

// A spin lock (spinlock.c): a CPU that waits for the lock polls in a loop. Interrupts are off while
// a CPU holds the lock, as in all kernel code.
struct spinlock {
	volatile uint32_t holder; // spin_cpu() of the number of the CPU that holds the lock, or 0
	const char *name;
} __attribute__((aligned(64))); // A cache line of its own, because other CPUs poll it.

// Return the value of `holder` when CPU number `cpu` holds the lock: the selector of its TSS, which
// is never 0. A CPU reads its own selector from its task register with one instruction, str.
static inline uint32_t
spin_cpu(int cpu)
{
	return GD_TSS0 + (cpu << 3);
}

// Take a lock if it is free. Returns whether this CPU has taken it.
static inline bool
spin_try(struct spinlock *lk)
{
	uint32_t unlocked = 0;

	return __atomic_compare_exchange_n(
	    &lk->holder, &unlocked, str(), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

// Drop a lock if this CPU holds it. Returns whether this CPU held the lock.
static inline bool
spin_drop(struct spinlock *lk)
{
	uint32_t me = str();

	return __atomic_compare_exchange_n(
	    &lk->holder, &me, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

// Return whether this CPU holds a lock. Another CPU can change the answer in one case only: it
// hands the big lock over to this CPU, while this CPU waits for the lock (biglock.c).
static inline bool
spin_holding(const struct spinlock *lk)
{
	return lk->holder == str();
}

// Wait until a lock is free, and take it. Panics if this CPU already holds the lock.
void spin_lock(struct spinlock *lk);

// Drop a lock. Panics if this CPU does not hold the lock.
void spin_unlock(struct spinlock *lk);

// This header declares lock_kernel, unlock_kernel and kernel_locked.
#include <kern/biglock.h>

#endif // JOS_KERN_SPINLOCK_H
