#ifndef JOS_KERN_ENV_H
#define JOS_KERN_ENV_H

// Creating, running, stopping and destroying environments (env.c). Callers hold the big lock.

#include <inc/env.h>
#include <inc/string.h>

#include <kern/cpu.h>
#include <kern/programs.h>
#include <kern/runq.h>

extern struct Env *envs; // All environments: envs[NENV]
extern struct Env *env_free_list;
extern struct Segdesc gdt[];

// The environment that this CPU runs, or NULL.
#define curenv (thiscpu->cpu_env)

// Return the trap frame at the top of a CPU's kernel stack. While the CPU is in the kernel, the
// frame holds the registers of the CPU's environment.
static inline struct Trapframe *
cpu_frame(const struct CpuInfo *c)
{
	return (struct Trapframe *)KSTACKTOP_CPU(c->cpu_id) - 1;
}

// Change an environment's status. No other function writes env_status. If the environment becomes
// runnable, wake an idle CPU to run it. But wake no CPU if this CPU has just run the environment
// (old is ENV_RUNNING), because this CPU then chooses the next environment anyway.
static inline void
env_set_status(struct Env *e, unsigned status)
{
	unsigned old = e->env_status;

	e->env_status = status;
	if (status == ENV_RUNNABLE) {
		e->env_wait = -sched_turns;
		if (old != ENV_RUNNING)
			runq_wake(); // First, because it asserts that this CPU holds the lock.
		runq_add(ENVX(e->env_id));
	} else if (old == ENV_RUNNABLE) {
		runq_remove(ENVX(e->env_id));
	}
}

// For i386_init, as in the lab's text: ENV_CREATE(user_hello, ENV_TYPE_USER) starts the program
// user/hello.c. `program` may be a macro. kern/Makefrag defines the symbol program_user_NAME for
// each program user/NAME.c.
#define ENV_CREATE(program, type) ENV_CREATE_SYMBOL(program, type)
#define ENV_CREATE_SYMBOL(program, type)                       \
	do {                                                   \
		extern const struct Program program_##program; \
		const struct Program *p = &program_##program;  \
		env_create(p, p->name, strlen(p->name), type); \
	} while (0)

void env_init(void);
void env_init_percpu(void);

int env_alloc(struct Env **newenv_store, envid_t parent_id);
int env_create(const struct Program *program, const char *words, size_t len, enum EnvType type);
void env_free(struct Env *e);
void env_destroy(struct Env *e);
// Like env_destroy, but do not free memory now. The scheduler frees it later, in e's turns.
void env_destroy_later(struct Env *e);

// Free a part of e (end.c). e must be ENV_DYING, and must not be on a CPU.
void env_free_part(struct Env *e);

// Number of environments that are ENV_DYING. Their memory and slots will soon be free.
extern size_t envs_dying;

int envid2env(envid_t envid, struct Env **env_store, bool checkperm);

// Return the environment that `caller` names by envid in a system call. Id 0, which is used most,
// means the caller. Returns NULL if there is no such environment, or caller has no rights over it.
static inline struct Env *
env_named(struct Env *caller, envid_t envid)
{
	struct Env *e;

	if (envid == 0)
		return caller;
	return envid2env(envid, &e, true) < 0 ? NULL : e;
}

void env_start(struct Env *e);
void env_stop(struct Env *e);
struct Trapframe *env_frame(struct Env *e);
void env_copy_registers(struct Env *child);
void env_leave(void);

void env_run(struct Env *e) __attribute__((noreturn));
void env_pop_tf(struct Trapframe *tf) __attribute__((noreturn));

#endif // JOS_KERN_ENV_H
