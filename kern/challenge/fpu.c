// Floating-point registers, including those of SSE. They belong to an environment like its other
// registers. But most programs use none, and half a kilobyte takes long to copy. So they are
// switched lazily: when an environment comes to a CPU, CR0.TS is set, and its first floating-point
// instruction traps (T_DEVICE; Intel, volume 3, section 13.4). Only then its registers are loaded,
// and only then they are saved when it leaves the CPU. So an environment's registers are in at most
// one CPU, and never in a CPU that the environment has left.

#include <inc/assert.h>
#include <inc/error.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/challenge/challenge.h>
#include <kern/challenge/fpu.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/pagetable.h>
#include <kern/pmap.h>
#include <kern/spinlock.h>

#define CPUID_FXSR (1 << 24)
#define CPUID_SSE  (1 << 25)

#define FCW_DEFAULT   0x037F // Round to nearest, extended precision, all masked
#define MXCSR_DEFAULT 0x1F80
#define MXCSR_OFFSET  24 // In what fxsave writes

static bool has_fxsr; // The CPU has fxsave and fxrstor. Without them it has no SSE either.

void
fpu_init_percpu(void)
{
	uint32_t features;

	cpuid(1, NULL, NULL, NULL, &features);
	has_fxsr = features & CPUID_FXSR;
	if (has_fxsr)
		lcr4(rcr4() | CR4_OSFXSR | (features & CPUID_SSE ? CR4_OSXMMEXCPT : 0));
	lcr0((rcr0() & ~CR0_EM) | CR0_MP | CR0_NE | CR0_TS);
}

// First fninit clears what an earlier environment has left in the unit. Otherwise a pending unmasked
// exception would be raised by frstor, in the kernel. And in older AMD CPUs the addresses of the
// last instruction and operand would stay, because their fxrstor loads these only together with a
// pending exception (AMD, volume 5, FXRSTOR); the next environment could read them.
static void
load_state(const void *state)
{
	__asm__ volatile("fninit");
	if (has_fxsr)
		__asm__ volatile("fxrstor (%0)" : : "r"(state) : "memory");
	else
		__asm__ volatile("frstor (%0)" : : "r"(state) : "memory");
}

static void
store_state(void *state)
{
	if (has_fxsr)
		__asm__ volatile("fxsave (%0)" : : "r"(state) : "memory");
	else
		__asm__ volatile("fnsave (%0)" : : "r"(state) : "memory");
}

// Allocate a page for e's registers. Returns NULL if there is no memory.
static void *
alloc_state(struct Env *e)
{
	struct PageInfo *pp = page_alloc(ALLOC_ZERO);

	if (!pp)
		return NULL;
	pp->pp_ref++;
	e->env_fpu = page2kva(pp);
	return e->env_fpu;
}

// The registers with which a program starts.
static void
clean_state(uint8_t *state)
{
	*(uint16_t *)state = FCW_DEFAULT;
	if (has_fxsr)
		*(uint32_t *)(state + MXCSR_OFFSET) = MXCSR_DEFAULT;
	else
		memset(state + 8, 0xFF, 2); // The tag word: all registers empty.
}

bool
fpu_trap(void)
{
	assert(kernel_locked());
	if (!curenv->env_fpu) {
		if (!alloc_state(curenv)) {
			if (envs_dying) { // Memory will be free soon: try again in the next turn.
				env_set_status(curenv, ENV_RUNNABLE);
				return true;
			}
			cprintf("[%08x] no memory for its floating-point state\n", curenv->env_id);
			return false;
		}
		clean_state(curenv->env_fpu);
	}
	__asm__ volatile("clts");
	thiscpu->cpu_fpu_live = true;
	load_state(curenv->env_fpu);
	return true;
}

void
fpu_save(struct Env *e)
{
	assert(kernel_locked());
	if (!thiscpu->cpu_fpu_live)
		return;
	store_state(e->env_fpu);
	lcr0(rcr0() | CR0_TS);
	thiscpu->cpu_fpu_live = false;
}

void
fpu_drop(struct Env *e)
{
	if (e == curenv && thiscpu->cpu_fpu_live) {
		lcr0(rcr0() | CR0_TS);
		thiscpu->cpu_fpu_live = false;
	}
	if (e->env_fpu)
		page_decref(pa2page(PADDR(e->env_fpu)));
	e->env_fpu = NULL;
}

int
fpu_copy(struct Env *child)
{
	if (!curenv->env_fpu)
		return 0;
	fpu_save(curenv);
	if (!alloc_state(child))
		return -E_NO_MEM;
	memcpy(child->env_fpu, curenv->env_fpu, PGSIZE);
	return 0;
}
