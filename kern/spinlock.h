#ifndef JOS_KERN_SPINLOCK_H
#define JOS_KERN_SPINLOCK_H

#include <inc/types.h>

#include <kern/cpu.h>

// A spin lock (spinlock.c): a CPU that waits for the lock polls in a loop. Interrupts are off while
// a CPU holds it, as they are in all kernel code.
struct spinlock {
	volatile uint32_t holder; // The CPU that holds it, as spin_cpu() of its number; 0: none
	const char *name;
} __attribute__((aligned(64))); // A cache line of its own, because other CPUs poll it.

// The value of `holder` when a CPU holds the lock: the selector of the CPU's TSS, which is never 0.
// A CPU reads its own selector from its task register by one instruction, str.
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

// Drop a lock if this CPU holds it. Returns whether it did.
static inline bool
spin_drop(struct spinlock *lk)
{
	uint32_t me = str();

	return __atomic_compare_exchange_n(
	    &lk->holder, &me, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

// Whether this CPU holds a lock. No other CPU can change the answer.
static inline bool
spin_holding(const struct spinlock *lk)
{
	return lk->holder == str();
}

// Panics if this CPU holds the lock already.
void spin_lock(struct spinlock *lk);

// Panics if this CPU does not hold the lock.
void spin_unlock(struct spinlock *lk);

// lock_kernel, unlock_kernel and kernel_locked.
#include <kern/biglock.h>

#endif // JOS_KERN_SPINLOCK_H
