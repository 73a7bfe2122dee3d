// Mutual exclusion among CPUs. Two locks exist: the big kernel lock, and the
// console's (console.c), which may be taken inside of it but not the other way round.
//
// The console's is held for microseconds, and waited for in a loop. So is the big
// lock, at first. But there can be more CPUs than the machine below us has: then a
// CPU that waits in a loop takes the time of the one that it waits for. So after a
// while it marks itself as asleep, and halts; who drops the lock sends an interrupt
// to one of those. That is not lost, because both sides first write and then read:
//
//	the waiter:  sleepers |= me;  then tries the lock once more
//	the holder:  drops the lock;  then reads sleepers
//
// with locked instructions, past which no read can move: if the waiter's last try
// failed, the holder sees its mark.
//
// A CPU that is awake mostly comes first, which is quick, but not fair. So after some
// times the lock is not dropped, but handed over to one that sleeps. models/lock.pml
// checks all of this.

#include <inc/assert.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/init.h>
#include <kern/jitter.h>
#include <kern/spinlock.h>

struct spinlock kernel_lock = SPINLOCK("the big kernel lock");

// The CPUs that are halted until the big lock is free, a bit each.
static uint32_t sleepers;
static_assert(NCPU <= 32);

// How often a CPU looks at the big lock before it halts: some microseconds' worth.
#define SPINS 1000

// How often the lock was dropped while somebody slept, and how often is too often.
static int passed_over;
#define PATIENCE 2

// xchg is atomic, and orders memory: what the last holder wrote is seen from here on.
static bool
try_lock(struct spinlock *lk)
{
	if (xchg(&lk->locked, 1) != 0)
		return false;
	lk->cpu = cpunum();
	return true;
}

static void
check_not_holding(const struct spinlock *lk)
{
	if (spin_holding(lk))
		panic("CPU %d takes %s twice", cpunum(), lk->name);
}

void
spin_lock(struct spinlock *lk)
{
	jitter();
	while (!try_lock(lk)) {
		check_not_holding(lk);
		if (panicking()) // Who holds it never goes on.
			return;
		while (lk->locked) {
			// Only read, so that the line stays in this CPU's cache. (And no pause
			// instruction: for that, QEMU takes a lock that the devices need.)
		}
	}
}

static void
check_holding(const struct spinlock *lk)
{
	if (!spin_holding(lk) && !panicking())
		panic("CPU %d drops %s, which it does not hold", cpunum(), lk->name);
}

void
spin_unlock(struct spinlock *lk)
{
	check_holding(lk);
	lk->cpu = -1;
	xchg(&lk->locked, 0);
	jitter();
}

// Whether the lock could be had, or was handed over, within a while.
static bool
spin_a_while(void)
{
	for (int i = 0; i < SPINS; i++) {
		if (kernel_lock.cpu == cpunum())
			return true;
		if (!kernel_lock.locked && try_lock(&kernel_lock))
			return true;
	}
	return false;
}

// The slow way: look at it for a while, then sleep.
static __attribute__((noinline)) void
wait_for_kernel_lock(void)
{
	uint32_t me = 1U << cpunum();

	check_not_holding(&kernel_lock);
	while (!spin_a_while()) {
		__atomic_fetch_or(&sleepers, me, __ATOMIC_SEQ_CST);
		jitter();
		if (try_lock(&kernel_lock))
			break;
		jitter();
		// An interrupt that came before the halt ends it at once: see sched_halt.
		__asm__ volatile("sti; hlt; cli" : : : "memory");
	}
	__atomic_fetch_and(&sleepers, ~me, __ATOMIC_SEQ_CST);
	passed_over = 0;
}

void
lock_kernel(void)
{
	jitter();
	if (!try_lock(&kernel_lock))
		wait_for_kernel_lock();
}

// Take the mark off one of the CPUs that sleep, and return its number; -1: none does. It
// is the next one after this CPU, in circular order, so that each gets its turn.
static int
take_sleeper(void)
{
	uint32_t asleep;

	while ((asleep = __atomic_load_n(&sleepers, __ATOMIC_SEQ_CST))) {
		uint32_t after = asleep & ~1U << cpunum();
		int next = __builtin_ctz(after ? after : asleep);
		uint32_t bit = 1U << next;
		// Another CPU that has just dropped the lock may have been quicker.
		if (__atomic_fetch_and(&sleepers, ~bit, __ATOMIC_SEQ_CST) & bit)
			return next;
	}
	return -1;
}

// The lock is handed over only to a CPU whose mark this one has taken off, while it held
// the lock: a mark that is merely seen may be taken by a CPU that dropped the lock before.
void
unlock_kernel(void)
{
	int next = -1;

	if (sleepers && ++passed_over >= PATIENCE)
		next = take_sleeper();
	if (next >= 0) {
		check_holding(&kernel_lock);
		kernel_lock.cpu = next;
	} else {
		spin_unlock(&kernel_lock);
		next = take_sleeper();
	}
	if (next >= 0)
		lapic_ipi(next, T_IPI_WAKE);
}
