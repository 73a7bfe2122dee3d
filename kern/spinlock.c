// Spin locks: mutual exclusion among CPUs.
//
// A lock is a word. The word is 0 while the lock is free. Otherwise it identifies the CPU that
// holds the lock. To take the lock, a CPU executes a locked instruction, lock cmpxchg. If the word
// is 0, this instruction writes the CPU's identification to the word. No other CPU can access the
// word between the comparison and the write (Intel, volume 3, section 8.1.2.2). The instruction
// also orders memory accesses: the CPU then sees everything that the previous holder wrote.
//
// There are two locks: the big kernel lock (biglock.c) and the console's lock (dev/console.c). A
// CPU that holds the big lock may take the console's lock. A CPU that holds the console's lock must
// not take the big lock.

#include <inc/assert.h>
#include <inc/x86.h>

#include <kern/probe.h>
#include <kern/spinlock.h>

void
spin_lock(struct spinlock *lk)
{
	probe(PROBE_SPIN, 0);
	while (!spin_try(lk)) {
		if (spin_holding(lk))
			panic("CPU %d takes %s twice", cpunum(), lk->name);
		if (panicking()) // The other CPUs are stopped, so the holder cannot release lk.
			return;
		// Do not write to the lock, so that it stays in the cache of each waiting CPU. Do
		// not use a pause instruction: for each pause, QEMU takes a lock that its devices
		// need.
		while (lk->holder) {
		}
	}
}

// Panic, because this CPU tried to release a lock that it does not hold. If this CPU has already
// panicked, return: spin_lock may have returned without the lock.
void
not_holding(const struct spinlock *lk)
{
	if (!panicking())
		panic("CPU %d drops %s, which it does not hold", cpunum(), lk->name);
}

void
spin_unlock(struct spinlock *lk)
{
	if (!spin_release(lk))
		not_holding(lk);
	probe(PROBE_SPIN, 0);
}
