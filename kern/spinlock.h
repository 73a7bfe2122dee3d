#ifndef JOS_KERN_SPINLOCK_H
#define JOS_KERN_SPINLOCK_H

#include <inc/types.h>

#include <kern/cpu.h>

// A spin lock (spinlock.c). A CPU that waits for the lock polls in a loop. A CPU that holds the
// lock has interrupts off, as in all kernel code.
struct spinlock {
	volatile uint32_t holder; // 0 if the lock is free, otherwise spin_cpu(number of its holder)
	const char *name;
} __attribute__((aligned(64))); // Waiting CPUs poll the lock, so it has its own cache line.

// Return the value that stands for CPU number `cpu` in `holder`. The value is the selector of the
// CPU's TSS, which is never 0. Each CPU can read its own selector with one instruction, str.
static inline uint32_t
spin_cpu(int cpu)
{
	return GD_TSS0 + (cpu << 3);
}

// If a lock is free, take the lock. Returns whether this CPU has taken it.
static inline bool
spin_try(struct spinlock *lk)
{
	uint32_t unlocked = 0;

	return __atomic_compare_exchange_n(
	    &lk->holder, &unlocked, str(), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

// If this CPU holds a lock, release the lock. Returns whether this CPU held it.
static inline bool
spin_release(struct spinlock *lk)
{
	uint32_t me = str();

	return __atomic_compare_exchange_n(
	    &lk->holder, &me, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

// Return whether this CPU holds a lock. Other CPUs cannot change the result, with one exception: if
// this CPU waits for the big lock, it can get the lock by a hand-over (biglock.c).
static inline bool
spin_holding(const struct spinlock *lk)
{
	return lk->holder == str();
}

// Wait until a lock is free, and then take the lock. Panics if this CPU already holds the lock.
void spin_lock(struct spinlock *lk);

// Release a lock. Panics if this CPU does not hold the lock.
void spin_unlock(struct spinlock *lk);

// biglock.h declares lock_kernel, unlock_kernel and kernel_locked.
#include <kern/biglock.h>

#endif // JOS_KERN_SPINLOCK_H
