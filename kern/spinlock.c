// Spin locks: mutual exclusion among CPUs.
//
// A lock is a word that contains the name of the CPU that holds the lock, or 0. A CPU takes the
// lock with a locked instruction, lock cmpxchg, which compares the word with 0 and, if they are
// equal, writes the CPU's name to the word. No other CPU can access the word between these two
// steps (Intel, volume 3, section 8.1.2.2). The same instruction orders memory: the CPU sees all
// that the previous holder wrote.
//
// Two locks exist: the big kernel lock (biglock.c) and the console's lock (dev/console.c). A CPU
// that holds the big lock may take the console's lock. A CPU that holds the console's lock must not
// take the big lock.

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
		if (panicking()) // The other CPUs are stopped: the holder never drops lk.
			return;
		// Poll by reading, which leaves the word in every waiting CPU's cache. There is no
		// pause instruction: for each pause, QEMU takes a lock that its devices need.
		while (lk->holder) {
		}
	}
}

// Panic because a CPU drops a lock that it does not hold. After a panic this is not an error,
// because spin_lock may have returned without the lock.
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
