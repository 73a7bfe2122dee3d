// Which environment runs next on a CPU, and what a CPU does that has none.
//
// Round robin: each CPU takes the first runnable environment after the one that it
// ran last, in the circular order of envs[]. One that is on another CPU is RUNNING,
// not RUNNABLE, so no two CPUs can take the same.
//
// A CPU that finds nothing marks itself CPU_HALTED under the lock, drops the lock
// and halts with interrupts on. Whoever makes an environment runnable clears the
// mark of one such CPU, under the lock, and sends it an interrupt; if that comes
// before the halt, the halt ends at once. So no environment waits while a CPU sleeps.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/x86.h>

#include <kern/audit.h>
#include <kern/console.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/jitter.h>
#include <kern/monitor.h>
#include <kern/pmap.h>
#include <kern/runq.h>
#include <kern/sched.h>
#include <kern/spinlock.h>
#include <kern/timer.h>

// Whether all CPUs that are up, this one aside, are asleep.
static bool
others_halted(void)
{
	for (int i = 0; i < ncpu; i++) {
		if (i != cpunum() && cpus[i].cpu_status == CPU_STARTED)
			return false;
	}
	return true;
}

static void
wake(struct CpuInfo *c)
{
	c->cpu_status = CPU_STARTED;
	lapic_ipi(c->cpu_id, T_IPI_WAKE);
}

// Sleep until an interrupt. Comes back with the lock held, as it was called.
static __attribute__((noinline)) void
sched_halt(void)
{
	timer_stop();
	lcr3(PADDR(kern_pgdir)); // Not that of an environment that may be freed meanwhile.
	if (others_halted() && !cons_awaited()) {
		if (thiscpu == bootcpu) {
			if (audit() > 0)
				panic("the kernel's books do not balance");
			cprintf("No runnable environments in the system!\n");
			monitor(NULL);
			return;
		}
		wake(bootcpu); // It alone can sleep while it waits for a command.
	}
	jitter();
	thiscpu->cpu_status = CPU_HALTED;
	unlock_kernel();
	jitter();
	// Interrupts are let in only after the instruction that follows sti (Intel,
	// volume 2, sti), so one that is waiting already ends the halt.
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	lock_kernel();
	thiscpu->cpu_status = CPU_STARTED;
}

// Exercise 6.
void
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
	while ((slot = runq_first((c->cpu_last + 1) % NENV)) < 0) {
		env_leave();
		sched_halt();
		cons_wake_readers();
	}
	env_run(&envs[slot]);
}

void
sched_wake(void)
{
	assert(kernel_locked());
	for (int i = 0; i < ncpu; i++) {
		if (cpus[i].cpu_status == CPU_HALTED) {
			wake(&cpus[i]);
			return;
		}
	}
}
