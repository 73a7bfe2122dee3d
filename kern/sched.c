// The scheduler chooses the environment that runs next on a CPU. If there is none, the CPU is idle.
//
// Round robin. All CPUs share one cursor: the slot in envs[] that got the last turn. To give the
// next turn, a CPU searches from the slot after the cursor, in circular order. The first runnable
// environment gets the turn, and the cursor moves to its slot. An environment that runs on another
// CPU is RUNNING, not RUNNABLE, so two CPUs never choose the same one. This guarantees:
//
//	While an environment is runnable, each other slot gets at most one turn before it.
//
// Proof: only sched_yield moves the cursor. Between two turns of one slot, the cursor passes every
// other slot. When the cursor passes a runnable environment, this environment gets a turn.
// (Wake-ups and sys_ipc_call do not move the cursor. After sys_ipc_call, the receiver runs in the
// rest of the caller's turn.) user/sched/fairwait.c tests the guarantee, with env_wait.
//
// Turns. A turn lasts one time slice on average. It can begin at any time between two timer ticks,
// so its length is measured with the time stamp counter. At a tick, sched_tick ends the turn if
// less than half a slice is left. The rest is saved in env_credit, and the environment's next turn
// is longer. (If the turn was too long, the next turn is shorter.) An environment that yields or
// waits gives up the rest of its turn. So an environment that always yields just before a tick
// takes no time from the next environment. In a turn of a dying environment, the scheduler frees
// parts of its memory (end.c). A tick may arrive when the CPU cannot switch environments, for
// example during a halt in lock_kernel. cpu_ticked records this tick until the return to user mode.
//
// Idle CPUs. A CPU that finds no runnable environment sets its bit in `idle`, releases the lock,
// polls for a while, and then halts with interrupts on. A CPU that makes an environment runnable
// clears the bit of one idle CPU. If the idle CPU has halted, it also gets an interrupt. An
// interrupt that arrives just before the halt ends the halt at once. A CPU polls first, because
// environments often answer within microseconds, and a wake-up from a halt takes ten times as long.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/x86.h>

#include <kern/challenge/challenge.h>
#include <kern/check/audit.h>
#include <kern/check/breakin.h>
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

// The number of polls for work before an idle CPU halts. They take some microseconds.
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

// Poll until another CPU calls unidle_cpu for this CPU, and then return true. After IDLE_POLLS
// polls, mark this CPU as halted and return false.
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

// Check the kernel's data, and run the monitor until there is something to run. Only the boot CPU
// calls stop_for_monitor, when no environment is runnable or running.
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

// Wait until there may be an environment to run. Releases the lock during the wait.
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
	tlb_load(thiscpu, kern_pgdir); // Another CPU may be waiting to free the old page directory.
	if (!poll_for_work()) {
		timer_stop();
		probe(PROBE_HALT, 0);
		// Interrupts are accepted only after the instruction that follows sti (Intel,
		// volume 2, sti). So an interrupt that is already pending ends the halt.
		// Exercise 13
		__asm__ volatile("sti; hlt; cli" : : : "memory");
	}
	lock_kernel();
	runq_busy();
}

// Return the rest of CPU c's turn, in ticks of the time stamp counter: negative if it is overdue.
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
	// Also end the turn if `left` is two slices or more. This happens only if an emulator has
	// paused for seconds, so that the subtraction in turn_left has wrapped.
	if (!e || e->env_status != ENV_RUNNING || (left >= slice / 2 && left < 2 * slice))
		return;
	e->env_credit = MIN(MAX(left, -slice), slice);
	env_set_status(e, ENV_RUNNABLE);
}

// Make e give up the rest of its turn on CPU c. If the turn was too long, shorten e's next turn.
static inline void
give_up_turn(const struct CpuInfo *c, struct Env *e)
{
	int32_t left = turn_left(c);

	e->env_credit = 0;
	if (left < 0)
		e->env_credit = MAX(left, -(int32_t)time_slice);
}

// Use the turn of e, a dying environment, on CPU c: free parts of e for a time slice, or until e is
// free. Between two parts, other CPUs can take the lock, and interrupts can arrive.
static __attribute__((noinline)) void
free_parts(struct CpuInfo *c, struct Env *e)
{
	envid_t id = e->env_id;

	env_leave();
	c->cpu_turn_end = (uint32_t)read_tsc() + time_slice;
	do {
		env_free_part(e);
		unlock_kernel();
		tlb_load(c, kern_pgdir); // A CPU may be waiting to free the old page directory.
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
	// If e is ENV_RUNNABLE, sched_tick has already ended e's turn.
	if (e && e->env_status != ENV_RUNNABLE) {
		give_up_turn(c, e);
		if (e->env_status == ENV_RUNNING)
			env_set_status(e, ENV_RUNNABLE);
		else
			env_leave(); // Save e's registers now, because wait_end changes env_tf.
	}
	if (cons_has_waiters())
		cons_wake_readers();
	for (;;) {
		slot = challenge_next((cursor + 1) % NENV);
		if (slot < 0) {
			env_leave();
			if (breakin_wanted(NULL))
				monitor(NULL);
			else if (!cons_wake_readers())
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
		free_parts(c, e);
	}
}
