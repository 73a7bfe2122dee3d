// Which environment runs next on a CPU, and what a CPU does that has none.
//
// Round robin: all CPUs share one cursor, the slot in envs[] that got the last turn. A CPU
// gives the next turn to the first runnable environment after the cursor, in circular
// order, and moves the cursor there. An environment that is on another CPU is RUNNING, not
// RUNNABLE, so no two CPUs can take the same. This keeps the rule:
//
//	While an environment is runnable, each other slot gets at most one turn before it.
//
// Proof: between two turns of a slot the cursor goes round once, and so passes every
// runnable environment, which would have got that turn. Only sched_yield moves the cursor.
// A wake-up does not, and sys_ipc_call does not: the environment that it switches to runs
// in the rest of the caller's turn. env_wait counts the turns, and user/fairwait.c tests the rule.
//
// A turn lasts one time slice on average, measured by the time stamp counter, because a turn
// may begin anywhere between two ticks of the CPU's timer. At a tick, sched_tick ends the
// turn if less than half a slice of it is left. What is left, or was too much, is env_credit,
// which makes the next turn of that environment longer or shorter. An environment that
// yields or waits gives up the rest of its turn. (The turn of an environment that is dying frees a
// part of its memory: end.c.) So an environment that yields just before
// the tick takes nothing from the next one. A tick may come while the CPU cannot switch,
// even while it sleeps in lock_kernel: cpu_ticked notes it until the CPU is about to return to
// user mode (trap_leave).
//
// A CPU that finds nothing marks itself CPU_LOOKING under the lock, drops the lock,
// looks for a while whether another CPU takes the mark away, and if not, turns it to
// CPU_HALTED and halts with interrupts on. Whoever made an environment runnable takes the
// mark of one such CPU away, and sends it an interrupt if it halts; if that comes before
// the halt, the halt ends at once.
//
// That is done when the lock is dropped, because then it is known whether the environment
// still waits for a CPU: often the one that woke it has stopped to wait itself, and
// its CPU has taken the other. So when the lock is free, no environment waits while a
// CPU sleeps that is not on its way. It looks before it sleeps, because environments that
// answer each other do so within microseconds, and to be woken takes ten times as long.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/x86.h>

#include <kern/check/audit.h>
#include <kern/dev/console.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/check/jitter.h>
#include <kern/check/lockstat.h>
#include <kern/monitor.h>
#include <kern/pmap.h>
#include <kern/runq.h>
#include <kern/sched.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <kern/tlb.h>

// Whether all CPUs that are up, this one aside, have nothing to run.
static bool
others_halted(void)
{
	for (int i = 0; i < ncpu; i++) {
		if (i != cpunum() && cpus[i].cpu_status == CPU_STARTED)
			return false;
	}
	return true;
}

// How often a CPU looks whether it is wanted, before it halts: some microseconds' worth.
#define LOOKS 2000

// The CPUs that are marked, a bit each. Only they themselves turn one mark into the other
// without the lock.
static HOT_DATA uint32_t idle;
static_assert(NCPU <= 32);

// How many environments were made runnable for which they may be wanted, since the lock
// was taken.
static HOT_DATA int wakes_owed;

// Take the mark off a CPU, if it has one. Whether it must be interrupted.
static bool
call_back(int cpu)
{
	idle &= ~(1U << cpu);
	return xchg(&cpus[cpu].cpu_status, CPU_STARTED) == CPU_HALTED;
}

// Whether this CPU was called back while it looked. If not, it is marked as halted.
static bool
look_a_while(void)
{
	for (int i = 0; i < LOOKS && ncpu > 1; i++) {
		if (thiscpu->cpu_status != CPU_LOOKING)
			return true;
	}
	uint32_t looking = CPU_LOOKING;
	return !__atomic_compare_exchange_n(
	    &thiscpu->cpu_status, &looking, CPU_HALTED, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

HOT_DATA uint32_t sched_turns;

static HOT_DATA uint32_t cursor = NENV - 1;

// Sleep until an interrupt. Comes back with the lock held, as it was called.
static __attribute__((noinline)) void
sched_halt(void)
{
	if (others_halted() && !cons_awaited()) {
		if (thiscpu == bootcpu) {
			timer_stop();
			tlb_load(thiscpu, kern_pgdir);
			lockstat_end(&thiscpu->cpu_lockstat); // Nothing waits for the lock.
			if (audit() > 0)
				panic("the kernel's books do not balance");
			cprintf("No runnable environments in the system!\n");
			monitor(NULL);
			return;
		}
		// It alone can sleep while it waits for a command.
		if (call_back(bootcpu->cpu_id))
			lapic_ipi(bootcpu->cpu_id, T_IPI_WAKE);
	}
	jitter();
	thiscpu->cpu_status = CPU_LOOKING;
	idle |= 1U << cpunum();
	unlock_kernel();
	tlb_load(thiscpu, kern_pgdir); // Not that of an environment that is perhaps to be freed.
	if (!look_a_while()) {
		timer_stop();
		jitter();
		// Interrupts are let in only after the instruction that follows sti (Intel,
		// volume 2, sti), so one that is waiting already ends the halt.
		__asm__ volatile("sti; hlt; cli" : : : "memory");
	}
	lock_kernel();
	call_back(cpunum()); // Unless another CPU did.
}

// How long the turn on CPU c still lasts, in ticks of the time stamp counter.
static inline int32_t
turn_left(const struct CpuInfo *c)
{
	return c->cpu_turn_end - (uint32_t)read_tsc();
}

void
sched_tick(struct CpuInfo *c)
{
	struct Env *e = c->cpu_env;
	int32_t left = turn_left(c), slice = time_slice;

	assert(kernel_locked());
	c->cpu_ticked = false;
	// More than two slices are left after a pause of seconds, when the difference wraps.
	if (!e || e->env_status != ENV_RUNNING || (left >= slice / 2 && left < 2 * slice))
		return;
	e->env_credit = MIN(MAX(left, -slice), slice);
	env_set_status(e, ENV_RUNNABLE);
}

// Environment e gives up the rest of its turn on CPU c.
static inline void
give_up_turn(const struct CpuInfo *c, struct Env *e)
{
	int32_t left = turn_left(c);

	e->env_credit = 0;
	if (left < 0)
		e->env_credit = MAX(left, -(int32_t)time_slice);
}

// Environment e is dying, and has its turn on CPU c: free parts of it for a time slice, or until
// it is free. Other CPUs may take the lock between two parts, and interrupts are let in.
static __attribute__((noinline)) void
end_parts(struct CpuInfo *c, struct Env *e)
{
	envid_t id = e->env_id;

	env_leave();
	c->cpu_turn_end = (uint32_t)read_tsc() + time_slice;
	do {
		env_end_part(e);
		unlock_kernel();
		tlb_load(c, kern_pgdir); // As in sched_halt
		__asm__ volatile("sti; nop; cli" : : : "memory");
		lock_kernel();
	} while (e->env_id == id && e->env_status == ENV_DYING && turn_left(c) > 0);
	if (cons_awaited())
		cons_wake_readers();
}

// Exercise 6.
HOT void
sched_yield(void)
{
	struct CpuInfo *c = thiscpu;
	struct Env *e = c->cpu_env;
	int slot;

	assert(kernel_locked());
	if (e && e->env_status != ENV_RUNNABLE) { // If it is, sched_tick has ended its turn.
		give_up_turn(c, e);
		if (e->env_status == ENV_RUNNING)
			env_set_status(e, ENV_RUNNABLE);
		else
			env_leave(); // Before another CPU can wake it.
	}
	if (cons_awaited())
		cons_wake_readers();
	for (;;) {
		slot = runq_first((cursor + 1) % NENV);
		if (slot < 0) {
			env_leave();
			if (!cons_wake_readers())
				sched_halt();
			continue;
		}
		cursor = slot;
		e = &envs[slot];
		e->env_wait += sched_turns++;
		if (e->env_status == ENV_RUNNABLE) {
			c->cpu_turn_end = (uint32_t)read_tsc() + time_slice + e->env_credit;
			e->env_credit = 0;
			env_run(e);
		}
		end_parts(c, e);
	}
}

HOT void
sched_wake(void)
{
	assert(kernel_locked());
	if (idle) {
		wakes_owed++;
		unlock_kernel_looks();
	}
}

// The CPU to be called back next: one that looks rather than one that halts.
static int
idle_cpu(void)
{
	for (uint32_t left = idle; left; left &= left - 1) {
		int cpu = __builtin_ctz(left);
		if (cpus[cpu].cpu_status == CPU_LOOKING)
			return cpu;
	}
	return __builtin_ctz(idle);
}

uint32_t
sched_pay_wakes(void)
{
	uint32_t halted = 0;

	assert(kernel_locked());
	for (; wakes_owed > 0 && runq_words && idle; wakes_owed--) {
		int cpu = idle_cpu();
		if (call_back(cpu))
			halted |= 1U << cpu;
	}
	wakes_owed = 0;
	return halted;
}
