// The set of runnable environments, and the set of idle CPUs. runq.h describes both.

#include <inc/assert.h>
#include <inc/trap.h>

#include <kern/cpu.h>
#include <kern/runq.h>
#include <kern/spinlock.h>

HOT_DATA uint32_t runq[RUNQ_WORDS], runq_words;
static_assert(RUNQ_WORDS <= 32);

HOT_DATA uint32_t sched_turns;

// The set of idle CPUs, one bit per CPU. An idle CPU's status is CPU_POLLING or CPU_HALTED.
static HOT_DATA uint32_t idle;
static_assert(NCPU <= 32);

void
runq_idle(void)
{
	thiscpu->cpu_status = CPU_POLLING;
	idle |= 1U << cpunum();
}

void
runq_busy(void)
{
	idle &= ~(1U << cpunum());
	thiscpu->cpu_status = CPU_STARTED;
}

void
unidle_cpu(int cpu)
{
	idle &= ~(1U << cpu);
	if (xchg(&cpus[cpu].cpu_status, CPU_STARTED) == CPU_HALTED)
		lapic_ipi(cpu, T_IPI_WAKE);
}

// Return the idle CPU to wake. Prefer a polling CPU, because a halted CPU starts more slowly.
static int
idle_cpu(void)
{
	for (uint32_t left = idle; left; left &= left - 1) {
		int cpu = __builtin_ctz(left);
		if (cpus[cpu].cpu_status == CPU_POLLING)
			return cpu;
	}
	return __builtin_ctz(idle);
}

HOT void
runq_wake(void)
{
	assert(kernel_locked());
	if (idle)
		unidle_cpu(idle_cpu());
}
