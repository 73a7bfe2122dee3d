// What a panic prints after its message: what the CPU was doing, and the calls that led here. The
// kernel's data may be damaged, and no lock is held.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/x86.h>

#include <kern/check/envcommands.h>
#include <kern/check/kdebug.h>
#include <kern/check/postmortem.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/spinlock.h>

void
postmortem(void)
{
	const struct Env *e = curenv;
	bool is_env = envs && e >= envs && e < envs + NENV;
	uint32_t holder = kernel_lock.holder;

	if (is_env)
		cprintf("  environment: %08x (%s)\n", e->env_id, env_name(e));
	else
		cprintf("  environment: none\n");
	if (holder)
		cprintf("  big lock: held by CPU %d\n", (int)(holder - spin_cpu(0)) >> 3);
	else
		cprintf("  big lock: free\n");
	kdebug_backtrace(read_ebp());
	if (is_env)
		kdebug_print_user(e, cpu_frame(thiscpu));
}
