// Breaking into a running kernel from the console. Ctrl-P prints the environments. Ctrl-C enters
// the monitor, from which `continue` resumes the interrupted program: its registers and flags are
// in its trap frame, as after any interrupt.
//
// The console notes the keys in cons_requests, on the CPU that gets its interrupts. A CPU that runs
// a program finds the request at its next interrupt from user mode, which is the console's, or the
// timer's next tick. So a program cannot avoid it by looping. A CPU that has nothing to run takes
// the request only if no other CPU runs a program, because the user wants to stop that program.
//
// The CPU in the monitor holds the big lock. Other CPUs that run programs go on until their next
// trap, which is at most a tick later, and then wait for the lock.

#include <inc/stdio.h>
#include <inc/x86.h>

#include <kern/check/breakin.h>
#include <kern/check/envcommands.h>
#include <kern/cpu.h>

static bool
another_cpu_runs(void)
{
	for (int i = 0; i < ncpu; i++) {
		if (i != cpunum() && cpus[i].cpu_env)
			return true;
	}
	return false;
}

bool
breakin_take(const struct Trapframe *tf)
{
	if (tf && step_has_arrived())
		return true;
	if (!tf && another_cpu_runs())
		return false;
	uint32_t requests = xchg(&cons_requests, 0);
	if (requests & CONS_SHOW)
		print_envs();
	if (requests & CONS_STOP)
		cprintf("Ctrl-C on CPU %d; type 'continue' to go on.\n", cpunum());
	return requests & CONS_STOP;
}
