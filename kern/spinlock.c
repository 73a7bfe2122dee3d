// Mutual exclusion among CPUs. Two locks exist: the big kernel lock, and the
// console's (console.c), which may be taken inside of it but not the other way round.

#include <inc/assert.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/spinlock.h>

struct spinlock kernel_lock = SPINLOCK("the big kernel lock");

bool
spin_holding(const struct spinlock *lk)
{
	return lk->locked && lk->cpu == cpunum();
}

void
spin_lock(struct spinlock *lk)
{
	if (spin_holding(lk))
		panic("CPU %d takes %s twice", cpunum(), lk->name);

	// xchg is atomic, and orders memory: what the last holder wrote is seen from
	// here on. Between tries only read, so that the line stays in this CPU's cache.
	while (xchg(&lk->locked, 1) != 0) {
		while (lk->locked)
			cpu_pause();
	}
	lk->cpu = cpunum();
}

void
spin_unlock(struct spinlock *lk)
{
	if (!spin_holding(lk))
		panic("CPU %d drops %s, which it does not hold", cpunum(), lk->name);
	lk->cpu = -1;
	// Stores are not seen to pass earlier loads or stores (Intel, volume 3,
	// section 8.2.2), so a plain store would do for the CPU; the compiler must
	// not move anything past it either.
	xchg(&lk->locked, 0);
}
