// The monitor's commands that show or end environments, and show the CPUs.

#include <inc/assert.h>
#include <inc/stdio.h>

#include <kern/check/arguments.h>
#include <kern/check/commands.h>
#include <kern/check/envcommands.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/panic.h>
#include <kern/spinlock.h>
#include <kern/wait.h>

const char *
env_name(const struct Env *e)
{
	return e->env_program ? e->env_program->name : "(no program)";
}

const char *
env_status_name(const struct Env *e)
{
	static const char *const names[] = {
		[ENV_FREE] = "free",
		[ENV_DYING] = "dying",
		[ENV_RUNNABLE] = "runnable",
		[ENV_RUNNING] = "running",
		[ENV_NOT_RUNNABLE] = "waiting",
	};

	if (e->env_status >= ARRAY_SIZE(names))
		return "damaged";
	if (e->env_status == ENV_NOT_RUNNABLE && !e->env_queue && !e->env_ipc_recving)
		return "stopped";
	return names[e->env_status];
}

// Return the environment in whose queue of senders e waits, or NULL.
static const struct Env *
receiver_of(const struct Env *e)
{
	for (const struct Env *to = envs; to < envs + NENV; to++) {
		if (e->env_queue == &to->env_ipc_senders)
			return to;
	}
	return NULL;
}

// Print what e waits for, and for whom.
static void
print_wait(const struct Env *e)
{
	const struct Env *to;

	if (e->env_status == ENV_RUNNING)
		cprintf("nothing: it is on CPU %d", e->env_cpunum);
	else if (e->env_status == ENV_RUNNABLE)
		cprintf("a CPU");
	else if (e->env_status == ENV_DYING && e->env_oncpu)
		cprintf("CPU %d to drop it", e->env_cpunum);
	else if (e->env_status == ENV_DYING)
		cprintf("its memory to be freed");
	else if (e->env_queue == &cons_readers)
		cprintf("a key");
	else if (e->env_ipc_recving)
		cprintf("a message from any environment");
	else if (e->env_queue && (to = receiver_of(e)))
		cprintf("%08x (%s) to receive its message", to->env_id, env_name(to));
	else if (e->env_parent_id)
		cprintf("%08x, its parent, to start it", e->env_parent_id);
	else
		cprintf("its start");
	if (e->env_stopped && (e->env_queue || e->env_ipc_recving))
		cprintf(", and %08x, its parent, to start it", e->env_parent_id);
	cprintf("\n");
}

void
print_envs(void)
{
	int used = 0;

	for (const struct Env *e = envs; e < envs + NENV; e++) {
		if (e->env_status == ENV_FREE)
			continue;
		if (used++ == 0)
			cprintf(
			    "id        parent    program       status    turns       waits for\n");
		cprintf("%08x  %08x  %-12s  %-8s  %-10u  ", e->env_id, e->env_parent_id,
		    env_name(e), env_status_name(e), e->env_runs);
		print_wait(e);
	}
	cprintf("Environments: %d of %d\n", used, NENV);
}

int
mon_envs(int argc, char **argv, struct Trapframe *tf)
{
	print_envs();
	return COMMAND_DONE;
}

// ---- CPUs ----

static const char *
cpu_does(const struct CpuInfo *c)
{
	switch (c->cpu_status) {
	case CPU_STARTED:
		return c->cpu_in_user ? "runs its program" : "is in the kernel";
	case CPU_POLLING:
		return "is idle: polls for work";
	case CPU_HALTED:
		return "is idle: halted";
	case CPU_STOPPED:
		return "is stopped, after a panic";
	default:
		return "has not started";
	}
}

int
mon_cpus(int argc, char **argv, struct Trapframe *tf)
{
	for (int i = 0; i < ncpu; i++) {
		const struct CpuInfo *c = &cpus[i];
		cprintf("CPU %d (APIC id %d) %s", i, c->cpu_apicid,
		    i == cpunum() ? "runs the monitor" : cpu_does(c));
		if (c->cpu_env)
			cprintf(
			    "; environment %08x (%s)", c->cpu_env->env_id, env_name(c->cpu_env));
		if (kernel_lock.holder == spin_cpu(i))
			cprintf("; holds the big lock");
		cprintf("\n");
	}
	return COMMAND_DONE;
}

// ---- Ending environments ----

// Destroy e. If e runs on another CPU, e ends when that CPU gets the big lock. Otherwise free all
// of its memory now, before the next command.
static void
end_env(struct Env *e)
{
	env_destroy(e);
	while (e->env_status == ENV_DYING && !e->env_oncpu)
		env_free_part(e);
}

// kill ENV ends one environment, and kill alone ends all. The monitor ends too if the environment
// that led to it has ended.
int
mon_kill(int argc, char **argv, struct Trapframe *tf)
{
	struct Env *only;

	if (argc > 2)
		return COMMAND_USAGE;
	if (panicstr) {
		cprintf("Not after a panic.\n");
		return COMMAND_DONE;
	}
	if (argc == 2) {
		if (env_argument(argv[1], &only))
			end_env(only);
		return tf && !curenv ? COMMAND_LEAVE : COMMAND_DONE;
	}
	for (struct Env *e = envs; e < envs + NENV; e++) {
		if (e->env_status != ENV_FREE && e->env_status != ENV_DYING)
			env_destroy(e);
	}
	for (struct Env *e = envs; e < envs + NENV; e++) {
		while (e->env_status == ENV_DYING && !e->env_oncpu)
			env_free_part(e);
	}
	return tf ? COMMAND_LEAVE : COMMAND_DONE;
}
