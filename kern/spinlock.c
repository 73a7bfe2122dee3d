// Spin locks: mutual exclusion among CPUs.
//
// The lock is a word that holds the name of the CPU that has the lock, or 0. A CPU takes the lock
// by an instruction that compares the word with 0 and writes its name if they are equal, in one
// step that no other CPU can come between: lock cmpxchg (Intel, volume 3, section 8.1.2.2). The
// same instruction orders memory: the CPU sees all that the previous holder wrote.
//
// Two locks exist: the big kernel lock (biglock.c) and the console's (dev/console.c). A CPU may
// take the console's while it holds the big lock, but not the other way round.

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
		if (panicking()) // The other CPUs are stopped: the holder never drops it.
			return;
		// Poll by reading, which leaves the word in every waiting CPU's cache. No pause
		// instruction: for each one, QEMU takes a lock that its devices need.
		while (lk->holder) {
		}
	}
}

// A CPU drops a lock that it does not hold. After a panic that is no mistake: spin_lock.
void
not_holding(const struct spinlock *lk)
{
	if (!panicking())
		panic("CPU %d drops %s, which it does not hold", cpunum(), lk->name);
}

void
spin_unlock(struct spinlock *lk)
{
	if (!spin_drop(lk))
		not_holding(lk);
	probe(PROBE_SPIN, 0);
}
