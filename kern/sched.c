// The scheduler: which environment runs next on a CPU, and what a CPU does if there is none.
//
// Round robin. All CPUs share one cursor, the slot in envs[] that got the last turn. A CPU gives
// the next turn to the first runnable environment after the cursor, in circular order, and moves
// the cursor there. An environment that runs on another CPU is RUNNING, not RUNNABLE, so two CPUs
// never choose the same environment. This guarantees:
//
//	While an environment is runnable, each other slot gets at most one turn before it.
//
// Proof: between two turns of one slot, the cursor passes every slot, and each runnable environment
// that the cursor passes gets a turn. Only sched_yield moves the cursor. A wake-up does not move
// it, and sys_ipc_call does not move it either: the receiver runs in the rest of the caller's turn.
// user/sched/fairwait.c tests the rule with env_wait, which counts the turns of other environments.
//
// A turn lasts one time slice on average. It is measured with the time stamp counter, because a
// turn may begin anywhere between two ticks of the CPU's timer. At a tick, sched_tick ends the turn
// if less than half a slice is left. The rest (or the excess) is saved in env_credit, and makes the
// next turn of that environment longer (or shorter). An environment that yields or waits gives up
// the rest of its turn, so an environment that always yields just before the tick takes no time
// from the next environment. The turn of a dying environment frees parts of its memory (end.c). A
// tick can come while the CPU cannot switch environments, for example while it halts in
// lock_kernel: cpu_ticked records the tick until the CPU is about to return to user mode.
//
// A CPU that finds no runnable environment sets its bit in `idle`, drops the lock, polls for a
// while, and then halts with interrupts on. A CPU that makes an environment runnable clears the bit
// of one idle CPU, and interrupts that CPU if it has halted. An interrupt that comes before the
// halt ends the halt at once. Polling first is faster when environments answer each other within
// microseconds: waking up from a halt takes ten times as long.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/x86.h>

#include <kern/check/audit.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/monitor.h>
#include <kern/pmap.h>
#include <kern/probe.h>
#include <kern/runq.h>
#include <kern/sched.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <kern/tlb.h>
#include <kern/wait.h>

// Iterations to poll for work before halting: some microseconds.
#define IDLE_POLLS 2000

// Return whether all other CPUs are idle.
static bool
others_idle(void)
{
	for (int i = 0; i < ncpu; i++) {
		if (i != cpunum() && cpus[i].cpu_status == CPU_STARTED)
			return false;
	}
	return true;
}

// Poll until another CPU calls unidle_cpu for this CPU, and return true. If no CPU does so for a
// while, mark this CPU as halted and return false.
static bool
poll_for_work(void)
{
	uint32_t polling = CPU_POLLING;

	for (int i = 0; i < IDLE_POLLS && ncpu > 1; i++) {
		if (thiscpu->cpu_status != CPU_POLLING)
			return true;
	}
	return !__atomic_compare_exchange_n(
	    &thiscpu->cpu_status, &polling, CPU_HALTED, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static HOT_DATA uint32_t cursor = NENV - 1;

// Check the kernel's bookkeeping, and stay in the monitor until there is something to run. Only the
// boot CPU calls this, when no environment is runnable or running.
static void
stop_for_monitor(void)
{
	timer_stop();
	tlb_load(thiscpu, kern_pgdir);
	probe(PROBE_STOP, 0);
	if (audit() > 0)
		panic("the kernel's data is inconsistent");
	cprintf("No runnable environments in the system!\n");
	monitor(NULL);
}

// Wait until there may be something to run. The lock is dropped meanwhile, and taken again.
static __attribute__((noinline)) void
sched_halt(void)
{
	if (others_idle() && !cons_has_waiters()) {
		if (thiscpu == bootcpu) {
			stop_for_monitor();
			return;
		}
		unidle_cpu(bootcpu->cpu_id);
	}
	probe(PROBE_IDLE, 0);
	runq_idle();
	unlock_kernel();
	tlb_load(thiscpu, kern_pgdir); // The old page directory may be about to be freed.
	if (!poll_for_work()) {
		timer_stop();
		probe(PROBE_HALT, 0);
		// Interrupts are recognized only after the instruction that follows sti (Intel,
		// volume 2, sti), so an interrupt that is already pending ends the halt.
		// Exercise 13
		__asm__ volatile("sti; hlt; cli" : : : "memory");
	}
	lock_kernel();
	runq_busy();
}

// Return what is left of the turn on CPU c, in ticks of the time stamp counter; negative if the
// turn has lasted too long.
static inline int32_t
turn_left(const struct CpuInfo *c)
{
	return c->cpu_turn_end - (uint32_t)read_tsc();
}

// Exercise 14.
void
sched_tick(struct CpuInfo *c)
{
	struct Env *e = c->cpu_env;
	int32_t left = turn_left(c), slice = time_slice;

	assert(kernel_locked());
	c->cpu_ticked = false;
	// If the emulator has stood still for seconds, the subtraction in turn_left has wrapped,
	// and left can look larger than two slices.
	if (!e || e->env_status != ENV_RUNNING || (left >= slice / 2 && left < 2 * slice))
		return;
	e->env_credit = MIN(MAX(left, -slice), slice);
	env_set_status(e, ENV_RUNNABLE);
}

// Make e give up the rest of its turn on CPU c. If the turn was too long, e's next turn is shorter.
static inline void
give_up_turn(const struct CpuInfo *c, struct Env *e)
{
	int32_t left = turn_left(c);

	e->env_credit = 0;
	if (left < 0)
		e->env_credit = MAX(left, -(int32_t)time_slice);
}

// Run the turn of e, a dying environment, on CPU c: free parts of e for a time slice, or until e is
// free. Between two parts, other CPUs can take the lock, and interrupts are let in.
static __attribute__((noinline)) void
end_parts(struct CpuInfo *c, struct Env *e)
{
	envid_t id = e->env_id;

	env_leave();
	c->cpu_turn_end = (uint32_t)read_tsc() + time_slice;
	do {
		env_end_part(e);
		unlock_kernel();
		tlb_load(c, kern_pgdir); // The old one may be about to be freed.
		__asm__ volatile("sti; nop; cli" : : : "memory");
		lock_kernel();
	} while (e->env_id == id && e->env_status == ENV_DYING && turn_left(c) > 0);
	if (cons_has_waiters())
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
	if (e && e->env_status != ENV_RUNNABLE) { // If RUNNABLE, sched_tick has ended its turn.
		give_up_turn(c, e);
		if (e->env_status == ENV_RUNNING)
			env_set_status(e, ENV_RUNNABLE);
		else
			env_leave(); // Before another CPU can wake e.
	}
	if (cons_has_waiters())
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
