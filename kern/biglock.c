// The big kernel lock, and how a CPU waits for it.
//
// The lock is a spin lock, but a waiting CPU does not poll forever: there can be more CPUs than the
// host has cores, and then a CPU that polls takes the time of the CPU that it waits for. After
// POLLS polls it sets its bit in `sleepers` and halts with interrupts on. A CPU that has dropped
// the lock wakes one sleeper by an interrupt. No wake-up is lost, because each side first writes
// and then reads:
//
//	the waiting CPU                          the CPU that drops the lock
//	  sets its bit in sleepers                 writes 0 to kernel_lock
//	  tries to take the lock, which fails      reads sleepers, sees the bit
//	  halts                                    sends the interrupt
//
// If the waiting CPU finds the lock still taken, the other CPU has not written its 0 yet, and reads
// sleepers later. (An interrupt that arrives before the halt ends the halt at once: sched_halt.)
//
// One sleeper is woken at a time. `woken` names it until it has the lock, or has set its bit again.
// While `woken` is set, a CPU that drops the lock wakes no other.
//
// A CPU that is awake is mostly faster than one that has to wake up first. So that a sleeper does
// not wait forever, one wake-up in 16 hands the lock over: a CPU that has dropped it takes it
// again, and writes the name of a sleeper to it. (A CPU whose bit is set while another holds the
// lock is waiting: it clears its bit as soon as it has the lock.) models/lock.pml checks this
// protocol.

#define BIGLOCK_INLINE // lock_kernel and unlock_kernel as functions

#include <inc/assert.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/panic.h>
#include <kern/probe.h>
#include <kern/spinlock.h>

// How often a CPU polls before it halts: about as long as a wake-up takes, and as the longest
// common operations (a fork, a line of output) hold the lock.
#define POLLS 20000

// One wake-up in so many hands the lock over. That is slow, because no CPU runs kernel code until
// the sleeper has woken up. (To count each time that the lock is dropped, and not each wake-up,
// made primes three times as slow on 8 CPUs.)
#define HAND_OVER_AFTER 16

HOT_DATA struct spinlock kernel_lock = { .name = "the big kernel lock" };

HOT_DATA uint32_t sleepers;
static volatile uint32_t woken;    // spin_cpu() of the sleeper that was woken, or 0
static volatile uint32_t wake_ups; // Since the last hand-over, roughly: no lock protects it
static_assert(NCPU <= 32);

// ---- Taking it ----

// Take the lock if it is free, or was handed over to this CPU.
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

// This CPU is no longer the one that was woken.
static void
clear_woken(void)
{
	if (woken == str())
		xchg(&woken, 0);
}

// Halt until this CPU is woken. Returns true if it has taken the lock instead.
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

// The lock is taken: wait for it.
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

// ---- Dropping it ----

// The sleeper to be woken next, or -1: the first one after this CPU, in circular order.
static int
next_sleeper(void)
{
	uint32_t asleep = __atomic_load_n(&sleepers, __ATOMIC_SEQ_CST);
	uint32_t after = asleep & ~1U << cpunum();

	return asleep ? __builtin_ctz(after ? after : asleep) : -1;
}

// If it is time, and the lock still free, hand it over to a sleeper. Returns whether that was done.
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

// The lock has been dropped while a CPU slept: wake a sleeper, unless one is awake already. `woken`
// is set before the sleeper's bit is cleared, so a CPU that finds its bit cleared finds its name in
// `woken`.
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
