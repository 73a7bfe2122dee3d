// The big kernel lock, and how a CPU waits for it.
//
// The lock is a spin lock, but a waiting CPU does not poll forever: there can be more CPUs than the
// host has cores, and then a polling CPU takes host time from the lock holder. After POLLS polls,
// the waiting CPU sets its bit in `sleepers` and halts with interrupts on. A CPU that has dropped
// the lock wakes one sleeper with an interrupt. No wake-up is lost, because both CPUs first write
// and then read:
//
//	CPU A waits for the lock                 CPU B drops the lock
//	  sets its bit in sleepers                 writes 0 to kernel_lock
//	  tries to take the lock, which fails      reads sleepers, sees A's bit
//	  halts                                    sends A the interrupt
//
// If CPU A finds the lock still taken, CPU B has not written 0 yet, so CPU B reads sleepers later
// and sees the bit. (sched_halt says why an earlier interrupt ends the halt at once.)
//
// Sleepers are woken one at a time. `woken` names the CPU that was woken until that CPU has the
// lock or has set its bit again. While `woken` is set, no other sleeper is woken.
//
// A CPU that is awake is usually faster than a CPU that must wake up first. So that a sleeper does
// not wait forever, one wake-up in 16 hands the lock over: the CPU that has dropped the lock takes
// the lock again, and writes the sleeper's name to it. (While one CPU holds the lock, every other
// CPU whose bit is set is waiting, because a CPU clears its bit as soon as it has the lock.)
// models/lock.pml checks this protocol.

#define BIGLOCK_INLINE // Compile lock_kernel and unlock_kernel as functions

#include <inc/assert.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/panic.h>
#include <kern/probe.h>
#include <kern/spinlock.h>

// Polls before a waiting CPU halts. They take about as long as a wake-up, and about as long as the
// longest common operations (a fork, a line of output) hold the lock.
#define POLLS 20000

// One wake-up in this many hands the lock over. A hand-over is slow, because no CPU runs kernel
// code until the sleeper has woken up. (Counting every drop of the lock, instead of every wake-up,
// made primes three times as slow on 8 CPUs.)
#define HAND_OVER_AFTER 16

HOT_DATA struct spinlock kernel_lock = { .name = "the big kernel lock" };

HOT_DATA uint32_t sleepers;
static volatile uint32_t woken;    // spin_cpu() of the sleeper that was woken, or 0
static volatile uint32_t wake_ups; // Number since the last hand-over, inexact: no lock protects it
static_assert(NCPU <= 32);

// ---- Taking the lock ----

// Take the lock if it is free or was handed over to this CPU. Returns whether this CPU has it.
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

// Clear `woken` if it names this CPU.
static void
clear_woken(void)
{
	if (woken == str())
		xchg(&woken, 0);
}

// Take the lock and return true, or halt until this CPU is woken and return false.
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

// Wait for the lock, which was not free, and take it.
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

// ---- Dropping the lock ----

// Return the first sleeper after this CPU, in circular order, or -1 if there is none.
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
		spin_drop(&kernel_lock);
		return false;
	}
	kernel_lock.holder = spin_cpu(cpu);
	lapic_ipi(cpu, T_IPI_WAKE);
	return true;
}

// Wake a sleeper, after this CPU has dropped the lock, unless a woken CPU is already about to take
// the lock. `woken` is set before the sleeper's bit is cleared, so a CPU that finds its bit cleared
// also finds its name in `woken`.
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
		xchg(&woken, 0); // The CPU has woken up by itself.
	}
}
