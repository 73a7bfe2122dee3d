#ifndef JOS_KERN_SPINLOCK_H
#define JOS_KERN_SPINLOCK_H

#include <inc/types.h>

#include <kern/cpu.h>
#include <kern/init.h>

// A lock for which a CPU waits in a loop. Interrupts are off while it is held:
// kernel code runs with interrupts off anyway.
struct spinlock {
	volatile uint32_t locked;
	volatile int cpu; // Who holds it, -1 for nobody
	const char *name;
};

#define SPINLOCK(text) { 0, -1, text }

// Panics if this CPU holds the lock already.
void spin_lock(struct spinlock *lk);

// Panics if this CPU does not hold the lock.
void spin_unlock(struct spinlock *lk);

// Whether this CPU holds the lock. Its number stands there as long as it does, and no
// longer.
static inline bool
spin_holding(const struct spinlock *lk)
{
	return lk->cpu == cpunum();
}

// The big kernel lock. At most one CPU runs kernel code at a time: who holds it
// may touch anything. It is taken on every way in from user mode (but for the calls that
// syscall_alone carries out, which touch nothing that others write), and by each CPU
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

#endif // JOS_KERN_SPINLOCK_H
