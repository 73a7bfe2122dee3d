#ifndef JOS_KERN_SPINLOCK_H
#define JOS_KERN_SPINLOCK_H

#include <inc/types.h>

#include <kern/cpu.h>
#include <kern/panic.h>
#include <kern/probe.h>

// A spin lock (spinlock.c): a CPU that waits for it polls in a loop. Interrupts are off while a CPU
// holds one, as they are in all kernel code.
struct spinlock {
	volatile uint32_t holder; // The CPU that holds it, as spin_cpu() of its number; 0: none
	const char *name;
} __attribute__((aligned(64))); // A cache line of its own, because other CPUs poll it.

// What `holder` is when that CPU holds a lock: the selector of the CPU's TSS, which is never 0. A
// CPU reads its own from its task register by one instruction, str.
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

// ---- The big kernel lock (biglock.c) ----

// Only the CPU that holds it may use the kernel's data. A CPU takes it on every way in from user
// mode and when it starts, and drops it before it returns to user mode and before it halts. It is
// no lock to be taken twice, nor in an interrupt handler.
extern struct spinlock kernel_lock;

extern uint32_t sleepers; // The CPUs that halt until they can take it, one bit each

// What is rare in the two functions below.
void lock_slowly(void);
void wake_sleeper(void);
void not_holding(const struct spinlock *lk);

// Inlined, because every entry into the kernel calls both; biglock.c compiles them as functions,
// for GDB.
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

// Whether this CPU may use the kernel's data: for assertions. After a panic the monitor may use it
// without the lock.
static inline bool
kernel_locked(void)
{
	return spin_holding(&kernel_lock) || panicstr;
}

#endif // JOS_KERN_SPINLOCK_H
