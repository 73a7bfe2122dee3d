// The monitor's commands `continue` and `step`. A step runs one instruction of the stopped program
// and comes back to the monitor; other environments run meanwhile as usual.
//
// A step sets the trap flag, TF: after the next instruction, the CPU raises a debug exception
// (Intel, volume 3, section 17.3.1.4). An instruction that enters the kernel, by a system call or a
// fault, needs more: its step ends when the program is about to run its next instruction in user
// mode, which may be in a handler, and may be much later. Then TF would be late by an instruction,
// and a handler's frame would keep it. So this file listens to the probes. On entry it removes TF
// and notes that the program is inside the kernel. When the CPU drops the big lock to return to the
// program, it sends itself an interrupt, which arrives as soon as the program has interrupts on:
// before its next instruction. (Without a local APIC there is no such interrupt: then the step of a
// system call runs the next instruction, too. So does the step of a call that challenge/sysentry.S
// answers without the lock.)

#include <inc/assert.h>
#include <inc/stdio.h>

#include <kern/check/commands.h>
#include <kern/check/memread.h>
#include <kern/check/step.h>
#include <kern/env.h>
#include <kern/panic.h>
#include <kern/probe.h>

enum StepState {
	STEP_NONE,
	STEP_TRAP_FLAG, // TF is set
	STEP_IN_KERNEL, // The instruction has entered the kernel
	STEP_ARRIVED,   // The interrupt has been sent
};

// The step of the environment in each slot, if the id fits. The CPU that runs the environment uses
// its entry without a lock, from the probes.
static struct Step {
	envid_t id;
	enum StepState state;
	bool own_flag;  // The program has set TF itself
	uint8_t opcode; // Of the instruction, or 0
} steps[NENV];

volatile uint32_t step_arrived;

#define OPCODE_PUSHF 0x9C
#define OPCODE_POPF  0x9D
#define OPCODE_IRET  0xCF

// Return curenv's step, or NULL.
static struct Step *
current_step(void)
{
	const struct Env *e = curenv;
	struct Step *step = e ? &steps[ENVX(e->env_id)] : NULL;

	return step && step->id == e->env_id && step->state != STEP_NONE ? step : NULL;
}

// ---- During a step: without the lock ----

static void
enter_kernel(struct Step *step, struct Trapframe *tf)
{
	uint32_t trapno = tf->tf_trapno;
	bool interrupt = trapno == T_NMI || (trapno >= IRQ_OFFSET && trapno != T_SYSCALL);

	if (step->state != STEP_TRAP_FLAG || interrupt)
		return;
	if (trapno == T_DEBUG && !step->own_flag)
		return;
	if (trapno == T_SYSCALL && !lapicaddr)
		return;
	if (!step->own_flag)
		tf->tf_eflags &= ~FL_TF;
	step->state = STEP_IN_KERNEL;
}

static void
step_event(enum ProbeKind kind, uint32_t argument, uintptr_t place)
{
	struct Step *step;

	if ((kind != PROBE_ENTER && kind != PROBE_LOCK_DROP) || !(step = current_step()))
		return;
	if (kind == PROBE_ENTER) {
		enter_kernel(step, (struct Trapframe *)argument);
	} else if (step->state == STEP_IN_KERNEL && curenv->env_status == ENV_RUNNING) {
		step->state = STEP_ARRIVED;
		__atomic_fetch_add(&step_arrived, 1, __ATOMIC_SEQ_CST);
		lapic_ipi(cpunum(), T_IPI_WAKE);
	}
}

// ---- The start and the end of a step ----

// Forget a step. If no other environment is in a step, stop listening to the probes.
static void
forget(struct Step *step)
{
	bool any = false;

	if (step->state == STEP_ARRIVED)
		__atomic_fetch_sub(&step_arrived, 1, __ATOMIC_SEQ_CST);
	step->state = STEP_NONE;
	for (int i = 0; i < NENV; i++)
		any = any || (steps[i].state != STEP_NONE && steps[i].id == envs[i].env_id &&
				 envs[i].env_status != ENV_FREE);
	if (!any)
		probe_listen(LISTENER_STEP, step_event, false);
}

bool
step_has_arrived(void)
{
	const struct Step *step = current_step();

	return step && step->state == STEP_ARRIVED;
}

bool
step_done(const struct Trapframe *tf)
{
	const struct Step *step = current_step();

	return tf->tf_trapno == T_DEBUG && step && step->state == STEP_TRAP_FLAG;
}

// pushf has pushed TF: remove it from the program's stack.
static void
remove_pushed_flag(const struct Trapframe *tf)
{
	uint8_t *low = (uint8_t *)memory_at(curenv->env_pgdir, tf->tf_esp + 1);

	if (low)
		*low &= ~(FL_TF >> 8);
}

bool
step_end(struct Trapframe *tf)
{
	struct Step *step = tf ? current_step() : NULL;

	if (!step)
		return false;
	enum StepState state = step->state;
	bool done = tf->tf_trapno == T_DEBUG;
	// popf and iret have loaded TF anew.
	bool loaded = done && (step->opcode == OPCODE_POPF || step->opcode == OPCODE_IRET);
	if (state == STEP_TRAP_FLAG && !step->own_flag && !loaded)
		tf->tf_eflags &= ~FL_TF;
	if (done && step->opcode == OPCODE_PUSHF)
		remove_pushed_flag(tf);
	forget(step);
	if (!done && state != STEP_ARRIVED)
		return false;
	cprintf("  eip  0x%08x\n", tf->tf_eip);
	return true;
}

int
mon_step(int argc, char **argv, struct Trapframe *tf)
{
	if (!tf || !curenv) {
		cprintf("There is no stopped program.\n");
		return COMMAND_DONE;
	}
	const uint8_t *code = memory_at(curenv->env_pgdir, tf->tf_eip);
	struct Step *step = &steps[ENVX(curenv->env_id)];
	forget(step); // The environment that had the slot before may have left its step here.
	*step = (struct Step){
		.id = curenv->env_id,
		.state = STEP_TRAP_FLAG,
		.own_flag = tf->tf_eflags & FL_TF,
		.opcode = code ? *code : 0,
	};
	tf->tf_eflags |= FL_TF;
	probe_listen(LISTENER_STEP, step_event, true);
	return COMMAND_LEAVE;
}

int
mon_continue(int argc, char **argv, struct Trapframe *tf)
{
	bool any = tf;

	for (const struct Env *e = envs; e < envs + NENV; e++)
		any = any || e->env_status != ENV_FREE;
	if (any && !panicstr)
		return COMMAND_LEAVE;
	cprintf("There is nothing to continue.\n");
	return COMMAND_DONE;
}
