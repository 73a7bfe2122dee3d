// Mutual exclusion among CPUs. Two locks exist: the big kernel lock, and the
// console's (console.c), which may be taken inside of it but not the other way round.
//
// A lock is a word: who holds it, or 0. Both locks are taken by one instruction that finds
// a 0 there, and dropped by one that finds the CPU's own name and nothing else. All that
// is not so simple takes a slow way.
//
// The console's is held for microseconds, and waited for in a loop. So is the big
// lock, at first. But there can be more CPUs than the machine below us has: then a
// CPU that waits in a loop takes the time of the one that it waits for. So after a
// while it marks itself as asleep, and halts; who drops the lock sends an interrupt
// to one of those. That is not lost. The waiter marks itself in `sleepers`, and then,
// unless it finds the lock free, puts a 1 beside the holder's name (LOOK): so the
// holder cannot drop the lock the quick way, and looks for sleepers when it has.
//
// It wakes one of them, and takes its mark away. The others need no interrupt before that
// one has had the lock, and they are not forgotten, because a CPU that has slept takes
// the lock with a LOOK already in it, or marks itself again. So:
//
//	if there is a mark, there is a LOOK, or a CPU awake that will see to it
//
// A CPU that is awake mostly comes first, which is quick, but not fair. So after some
// times the lock is not dropped, but handed over to one that sleeps. models/lock.pml
// checks all of this.

#include <inc/assert.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/init.h>
#include <kern/check/jitter.h>
#include <kern/check/lockstat.h>
#include <kern/sched.h>
#include <kern/spinlock.h>

HOT_DATA struct spinlock kernel_lock = SPINLOCK("the big kernel lock");

#define LOOK 0x10000 // spinlock.look, in its word

static uint32_t
holder(uint32_t word)
{
	return word & ~LOOK;
}

// What stands in the big lock when nobody has it: 0, or LOOK to go the slow way each time.
static HOT_DATA uint32_t nobody;

// The CPUs that are halted until the big lock is free, a bit each.
static HOT_DATA uint32_t sleepers;
static_assert(NCPU <= 32);

// How often a CPU looks at the big lock before it halts. That takes about as long as to be
// woken, and as what holds the lock longest: to fork, or print a line.
#define SPINS 20000

// How often the lock was dropped while somebody slept, and how often is too often. (To hand
// it over is slow: nobody has it until the one that slept runs.)
static HOT_DATA int passed_over;
#define PATIENCE 16

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
	while (!spin_change(lk, 0, spin_me())) {
		check_not_holding(lk);
		if (panicking()) // Who holds it never goes on.
			return;
		while (lk->word) {
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
	if (!spin_change(lk, spin_me(), 0))
		check_holding(lk);
	jitter();
}

// ---- Taking the big lock ----

// Take the lock if it is free, with `mine` in it. True if it is taken; or if it was handed over.
static bool
try_lock_kernel(uint32_t mine)
{
	uint32_t word = kernel_lock.word;

	if (holder(word) != 0)
		return holder(word) == spin_me();
	return spin_change(&kernel_lock, word, mine);
}

static bool
spin_a_while(uint32_t mine)
{
	for (int i = 0; i < SPINS; i++) {
		if (try_lock_kernel(mine))
			return true;
	}
	return false;
}

// This CPU has its mark: take the lock if it is free, or was handed over; else have its
// holder look, and return false.
static bool
take_or_have_looked(void)
{
	for (;;) {
		uint32_t word = kernel_lock.word;
		if (holder(word) == spin_me())
			return true;
		bool free = holder(word) == 0;
		if (spin_change(&kernel_lock, word, (free ? spin_me() : word) | LOOK))
			return free;
	}
}

// Look at it for a while, then sleep.
static void
wait_for_kernel_lock(struct LockStat *stat)
{
	uint32_t me = 1U << cpunum(), mine = spin_me();
	uint64_t began = read_tsc();

	while (!spin_a_while(mine)) {
		mine |= LOOK;
		__atomic_fetch_or(&sleepers, me, __ATOMIC_SEQ_CST);
		jitter();
		if (take_or_have_looked())
			break;
		jitter();
		stat->slept++;
		// An interrupt that came before the halt ends it at once: see sched_halt.
		__asm__ volatile("sti; hlt; cli" : : : "memory");
	}
	__atomic_fetch_and(&sleepers, ~me, __ATOMIC_SEQ_CST);
	stat->contended++;
	stat->waited += read_tsc() - began;
}

static HOT __attribute__((noinline)) void
lock_slowly(void)
{
	struct LockStat *stat = &thiscpu->cpu_lockstat;

	jitter();
	check_not_holding(&kernel_lock);
	if (!try_lock_kernel(spin_me()))
		wait_for_kernel_lock(stat);
	if (nobody) // Only now it cannot change: to drop the lock, go the slow way, too.
		unlock_kernel_looks();
	stat->taken++;
	lockstat_begin(stat);
}

HOT void
lock_kernel(void)
{
	if (spin_change(&kernel_lock, 0, spin_me()))
		thiscpu->cpu_lockstat.taken++;
	else
		lock_slowly();
}

// ---- Dropping it ----

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

// Drop the lock, or hand it over. Returns the CPU to be woken for it, or -1. It is handed over
// only to a CPU whose mark this one has taken off while it held the lock: a mark that is
// merely seen may be taken by a CPU that dropped the lock before.
static int
drop_or_hand_over(void)
{
	if (sleepers && ++passed_over >= PATIENCE) {
		int next = take_sleeper();
		passed_over = 0;
		if (next >= 0) {
			kernel_lock.word = spin_name(next) | LOOK;
			return next;
		}
	}
	xchg(&kernel_lock.word, nobody);
	return take_sleeper();
}

static HOT __attribute__((noinline)) void
unlock_slowly(void)
{
	check_holding(&kernel_lock);
	uint32_t halted = sched_pay_wakes();
	lockstat_end(&thiscpu->cpu_lockstat);
	int next = drop_or_hand_over();
	jitter();
	if (next >= 0)
		halted |= 1U << next;
	for (; halted; halted &= halted - 1)
		lapic_ipi(__builtin_ctz(halted), T_IPI_WAKE);
}

HOT void
unlock_kernel(void)
{
	if (!spin_change(&kernel_lock, spin_me(), 0))
		unlock_slowly();
}

void
lock_kernel_slowly(bool slowly)
{
	assert(kernel_locked());
	nobody = slowly ? LOOK : 0;
	kernel_lock.look = 1;
}
