// The big kernel lock, and how a CPU waits for it.
//
// The lock is a spin lock, but a waiting CPU does not poll forever. If there are more CPUs than the
// host has cores, a polling CPU takes host time from the lock holder. So after POLLS polls, the
// waiting CPU sets its bit in `sleepers` and halts with interrupts on. A CPU that has released the
// lock then wakes one sleeper with an interrupt. No wake-up is lost, because both CPUs first write
// and then read:
//
//	CPU A waits for the lock                 CPU B releases the lock
//	  sets its bit in sleepers                 writes 0 to kernel_lock
//	  tries to take the lock, which fails      reads sleepers, sees A's bit
//	  halts                                    sends A the interrupt
//
// If A's attempt fails, B has not written 0 yet. So B reads sleepers later, and sees A's bit. If
// the interrupt arrives just before A halts, it ends the halt at once (sched_halt says why).
//
// Sleepers are woken one at a time. `woken` identifies the CPU that was woken, until that CPU takes
// the lock or sets its bit again. While `woken` is not 0, no other sleeper is woken.
//
// A CPU that polls usually takes the lock before a CPU that must first wake up. So that no sleeper
// waits forever, every 16th wake-up is a hand-over. The CPU that has released the lock takes the
// lock again, and then makes the sleeper its holder. The sleeper is certainly waiting: a CPU clears
// its bit in `sleepers` as soon as it has the lock, and no other CPU can have the lock now.
// models/lock.pml checks this protocol.

#define BIGLOCK_INLINE // Compile lock_kernel and unlock_kernel as ordinary functions

#include <inc/assert.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/panic.h>
#include <kern/probe.h>
#include <kern/spinlock.h>

// The number of polls before a waiting CPU halts. The polls take about as long as a wake-up, and
// about as long as the longest common operations (a fork, a line of output) hold the lock.
#define POLLS 20000

// The number of wake-ups per hand-over. Hand-overs are rare because they are slow: no CPU can run
// kernel code until the sleeper has woken up. (In a test, every release of the lock was counted
// instead of every wake-up. Then user/primes was three times as slow on 8 CPUs.)
#define HAND_OVER_AFTER 16

HOT_DATA struct spinlock kernel_lock = { .name = "the big kernel lock" };

HOT_DATA uint32_t sleepers;
static volatile uint32_t woken;    // spin_cpu() of the CPU that was woken, or 0
static volatile uint32_t wake_ups; // Count since the last hand-over (without a lock: inexact)
static_assert(NCPU <= 32);

// ---- Taking the lock ----

// Try to take the lock. Returns true if the lock was free, or was handed over to this CPU.
static bool
try_lock(void)
{
	return kernel_lock.holder == str() || (kernel_lock.holder == 0 && spin_try(&kernel_lock));
}

static bool
poll_lock(void)
{
	for (int i = 0; i < POLLS; i++) {
		if (try_lock())
			return true;
	}
	return false;
}

// If `woken` identifies this CPU, clear `woken`.
static void
clear_woken(void)
{
	if (woken == str())
		xchg(&woken, 0);
}

// Try once more to take the lock. If this fails, halt until an interrupt, and return false.
static bool
sleep_for_lock(void)
{
	__atomic_fetch_or(&sleepers, 1U << cpunum(), __ATOMIC_SEQ_CST);
	clear_woken();
	probe(PROBE_LOCK_SLEEP, 0);
	if (try_lock())
		return true;
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	return false;
}

// The slow path of lock_kernel: wait for the lock, and take it.
void
lock_slowly(void)
{
	if (spin_holding(&kernel_lock))
		panic("CPU %d takes %s twice", cpunum(), kernel_lock.name);
	probe(PROBE_LOCK_WAIT, 0);
	while (!poll_lock() && !sleep_for_lock())
		continue;
	__atomic_fetch_and(&sleepers, ~(1U << cpunum()), __ATOMIC_SEQ_CST);
	clear_woken();
}

// ---- Releasing the lock ----

// Return the number of the next sleeper after this CPU, in circular order, or -1 if there is none.
static int
next_sleeper(void)
{
	uint32_t asleep = __atomic_load_n(&sleepers, __ATOMIC_SEQ_CST);
	uint32_t after = asleep & ~1U << cpunum();

	return asleep ? __builtin_ctz(after ? after : asleep) : -1;
}

// If a hand-over is due and the lock is still free, hand the lock over and return true.
static bool
hand_over(void)
{
	if (woken || ++wake_ups < HAND_OVER_AFTER || !spin_try(&kernel_lock))
		return false;
	wake_ups = 0;
	int cpu = next_sleeper();
	if (cpu < 0) {
		spin_release(&kernel_lock);
		return false;
	}
	kernel_lock.holder = spin_cpu(cpu);
	lapic_ipi(cpu, T_IPI_WAKE);
	return true;
}

// The slow path of unlock_kernel: wake a sleeper, unless a woken CPU is already about to take the
// lock. `woken` must be set before the sleeper's bit is cleared. In the other order, the sleeper
// could take the lock in between, and `woken` would never be cleared.
void
wake_sleeper(void)
{
	int cpu;

	if (hand_over())
		return;
	while (!woken && (cpu = next_sleeper()) >= 0) {
		uint32_t none = 0;
		if (!__atomic_compare_exchange_n(
			&woken, &none, spin_cpu(cpu), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return;
		if (__atomic_fetch_and(&sleepers, ~(1U << cpu), __ATOMIC_SEQ_CST) & 1U << cpu) {
			lapic_ipi(cpu, T_IPI_WAKE);
			return;
		}
		xchg(&woken, 0); // That CPU has already taken the lock, and cleared its bit.
	}
}
