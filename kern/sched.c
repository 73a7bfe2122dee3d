// Which environment runs next on a CPU, and what a CPU does that has none.
//
// Round robin: each CPU takes the first runnable environment after the one that it
// ran last, in the circular order of envs[]. One that is on another CPU is RUNNING,
// not RUNNABLE, so no two CPUs can take the same.
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

#include <kern/audit.h>
#include <kern/console.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/jitter.h>
#include <kern/lockstat.h>
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

// The environment in this slot is dying, and has its turn. Other CPUs may take the lock between
// two such turns, and interrupts are let in.
static __attribute__((noinline)) void
end_part(struct CpuInfo *c, int slot)
{
	env_leave();
	c->cpu_last = slot;
	env_end_part(&envs[slot]);
	unlock_kernel();
	tlb_load(c, kern_pgdir); // As in sched_halt
	__asm__ volatile("sti; nop; cli" : : : "memory");
	lock_kernel();
}

// Exercise 6.
HOT void
sched_yield(void)
{
	struct CpuInfo *c = thiscpu;
	struct Env *e = c->cpu_env;
	int slot;

	assert(kernel_locked());
	if (e && e->env_status == ENV_RUNNING)
		env_set_status(e, ENV_RUNNABLE);
	else if (e && e->env_status != ENV_RUNNABLE)
		env_leave(); // One that waits may be woken only when it has been put aside.
	if (cons_awaited())
		cons_wake_readers();
	for (;;) {
		slot = runq_first((c->cpu_last + 1) % NENV);
		if (slot >= 0 && envs[slot].env_status == ENV_RUNNABLE)
			env_run(&envs[slot]);
		if (slot >= 0) {
			end_part(c, slot);
			continue;
		}
		env_leave();
		if (!cons_wake_readers())
			sched_halt();
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
