// The floating-point registers of environments, including the SSE registers. Each environment has
// its own values in these registers, as in its other registers. But most programs do not use the
// floating-point registers, and copying half a kilobyte is slow. So the kernel loads these
// registers only when an environment needs them. When an environment starts to run on a CPU, CR0.TS
// is set. The environment's first floating-point instruction then traps (T_DEVICE; Intel, volume 3,
// section 13.4), and the trap handler loads the registers and clears CR0.TS. When an environment
// leaves a CPU, the kernel saves the registers if they were loaded. So the values of an environment
// are never left in the registers of a CPU that the environment has left.

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

#define FCW_DEFAULT   0x037F // Round to nearest, extended precision, all exceptions masked
#define MXCSR_DEFAULT 0x1F80
#define MXCSR_OFFSET  24 // Offset of MXCSR in the area that fxsave writes

static bool has_fxsr; // The CPU has fxsave and fxrstor. Without them, the CPU has no SSE.

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

// Load the registers from `state`. First, fninit clears the state that an earlier environment has
// left in the unit. This has two reasons. If an unmasked exception is pending in that state, frstor
// would raise the exception in the kernel. On older AMD CPUs, fxrstor loads the addresses of the
// last instruction and operand only if an exception is pending (AMD, volume 5, FXRSTOR), so the new
// environment could read the addresses of the earlier environment.
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

// Set the registers in `state` to their values at the start of a program.
static void
clean_state(uint8_t *state)
{
	*(uint16_t *)state = FCW_DEFAULT;
	if (has_fxsr)
		*(uint32_t *)(state + MXCSR_OFFSET) = MXCSR_DEFAULT;
	else
		memset(state + 8, 0xFF, 2); // The tag word: all registers are empty.
}

bool
fpu_trap(void)
{
	assert(kernel_locked());
	if (!curenv->env_fpu) {
		if (!alloc_state(curenv)) {
			if (envs_dying) { // Memory will be free soon. Repeat the instruction then.
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
fpu_discard(struct Env *e)
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
