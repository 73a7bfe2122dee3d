#ifndef JOS_KERN_SPINLOCK_H
#define JOS_KERN_SPINLOCK_H

#include <inc/types.h>

#include <kern/cpu.h>
#include <kern/init.h>

// A lock for which a CPU waits in a loop. Interrupts are off while it is held:
// kernel code runs with interrupts off anyway.
struct spinlock {
	union {
		volatile uint32_t word; // All of it, to be changed by one instruction
		struct {
			volatile uint16_t holder; // spin_me() of who holds it, 0 for nobody
			volatile uint16_t look;   // The big lock's: see spinlock.c
		};
	};
	const char *name;
} __attribute__((aligned(64))); // A cache line of its own: others look at it all the while.

#define SPINLOCK(text) { { 0 }, text }
#define SPIN_BROKEN    0xFFFF // A holder that no CPU is

// What stands in a lock that a CPU holds: the selector of its TSS, which it can read by an
// instruction.
static inline uint32_t
spin_name(int cpu)
{
	return GD_TSS0 + (cpu << 3);
}

static inline uint32_t
spin_me(void)
{
	return str();
}

// Change the word of a lock to `to`, if it is `from`, and say whether it was. Orders memory: who
// takes a lock sees all that the last holder wrote.
static inline bool
spin_change(struct spinlock *lk, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(
	    &lk->word, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

// Panics if this CPU holds the lock already.
void spin_lock(struct spinlock *lk);

// Panics if this CPU does not hold the lock.
void spin_unlock(struct spinlock *lk);

// Whether this CPU holds the lock. Its name stands there as long as it does, and no
// longer.
static inline bool
spin_holding(const struct spinlock *lk)
{
	return lk->holder == spin_me();
}

// The big kernel lock. At most one CPU runs kernel code at a time: who holds it
// may touch anything. It is taken on every way in from user mode (but for what
// sysentry.S does at once, which touches nothing that others write), and by each CPU
// when it comes up, the boot CPU as soon as it knows its number; it is dropped on the
// way back, and before a CPU halts.
extern struct spinlock kernel_lock;

// Whether this CPU may count on that: for assertions. After a panic nobody takes the lock
// any more, and who looks around in the monitor may do so.
static inline bool
kernel_locked(void)
{
	return spin_holding(&kernel_lock) || panicstr;
}

// Who waits for it long, halts with interrupts on until the holder drops it. Takes
// no lock that an interrupt handler wants.
void lock_kernel(void);
void unlock_kernel(void);

// Let this CPU do what it owes (sched_pay_wakes) when it drops the big lock, which it holds.
static inline void
unlock_kernel_looks(void)
{
	kernel_lock.look = 1;
}

// Let each taking and dropping of the big lock go the slow way, or no longer, where there
// is jitter, and times are measured.
void lock_kernel_slowly(bool slowly);

#endif // JOS_KERN_SPINLOCK_H
