// Double faults: the CPU was about to report a fault, and that faulted (Intel, volume
// 3, section 6.15). As a rule the kernel's stack has run into its guard: there is no
// room for the frame that says so, nor for the next one. So the stack must be changed
// first, and 32-bit x86 has one means for that, a task gate: the CPU saves all of its
// registers in the TSS that it has, and takes others from the TSS that the gate names.
// What is done here is to tell what was saved, and to panic; there is no way back.
//
// Each CPU has a TSS and a stack for that. A CPU that finds its TSS in use by another
// one resets the machine; and a gate names one TSS: so each CPU has an interrupt table
// too, and all differ in this gate. (With one table, and a GDT for each CPU, the
// selector would be the same everywhere, and cpunum() would not know where it is.)
//
// Selector and stack of CPU i's are those that a CPU NCPU + i would have. So the
// stack has a guard, and lies below the other one, as a callee's frame does: backtraces
// just go on from one to the other.

#include <inc/assert.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/check/doublefault.h>
#include <kern/env.h>
#include <kern/panic.h>
#include <kern/check/kdebug.h>
#include <kern/trap.h>

static struct Taskstate tasks[NCPU];

// What a trap would have left of the registers in ts.
static struct Trapframe
frame_of(const struct Taskstate *ts)
{
	return (struct Trapframe){
		.tf_regs = {
			.reg_edi = ts->ts_edi,
			.reg_esi = ts->ts_esi,
			.reg_ebp = ts->ts_ebp,
			.reg_oesp = ts->ts_esp,
			.reg_ebx = ts->ts_ebx,
			.reg_edx = ts->ts_edx,
			.reg_ecx = ts->ts_ecx,
			.reg_eax = ts->ts_eax,
		},
		.tf_es = ts->ts_es,
		.tf_ds = ts->ts_ds,
		.tf_trapno = T_DBLFLT,
		.tf_eip = ts->ts_eip,
		.tf_cs = ts->ts_cs,
		.tf_eflags = ts->ts_eflags,
		.tf_esp = ts->ts_esp,
		.tf_ss = ts->ts_ss,
	};
}

// Whether an address is in the guard below a CPU's kernel stack.
static bool
in_guard(int cpu, uintptr_t va)
{
	uintptr_t limit = KSTACKTOP_CPU(cpu) - KSTKSIZE;

	return va >= limit - KSTKGAP && va < limit;
}

// Become again the CPU that this was: what is in the task register is its name. Returns its
// number. (Its TSS counts as busy, for a return, which there will not be.)
static __attribute__((noinline)) int
take_name_back(void)
{
	uint16_t selector = str() - (NCPU << 3);

	gdt[selector >> 3].sd_type = STS_T32A;
	ltr(selector);
	return (selector - GD_TSS0) >> 3;
}

// What the task gate leads to. All that is on the stack is an error code, which is 0, where
// a caller's address would be.
static __attribute__((noreturn)) void
double_fault(void)
{
	int cpu = take_name_back();
	const struct Taskstate *ts = &cpus[cpu].cpu_ts;
	volatile uint32_t *frame = __builtin_frame_address(0);
	uint32_t va = rcr2();

	panic_begin(trapname(T_DBLFLT), ts->ts_eip);
	struct Trapframe tf = frame_of(ts);
	print_trapframe(&tf);
	// To the monitor's backtrace this was called from there. The address that a call
	// leaves is the next instruction's.
	frame[0] = ts->ts_ebp;
	frame[1] = ts->ts_eip + 1;
	kdebug_print_kernel(ts->ts_eip);
	kdebug_backtrace(ts->ts_ebp);
	if (in_guard(cpu, va))
		panic("kernel stack overflow at va %08x, eip %08x, esp %08x", va, ts->ts_eip,
		    ts->ts_esp);
	panic("double fault, eip %08x, esp %08x; last page fault at va %08x", ts->ts_eip,
	    ts->ts_esp, va);
}

void
doublefault_init_percpu(void)
{
	int cpu = cpunum();
	struct Taskstate *ts = &tasks[cpu];

	*ts = (struct Taskstate){
		.ts_cr3 = rcr3(),
		.ts_eip = (uintptr_t)double_fault,
		.ts_eflags = FL_RESERVED,
		.ts_esp = KSTACKTOP_CPU(NCPU + cpu),
		.ts_es = GD_KD,
		.ts_cs = GD_KT,
		.ts_ss = GD_KD,
		.ts_ds = GD_KD,
		.ts_iomb = sizeof(*ts),
	};
	idt[cpu][T_DBLFLT] = (struct Gatedesc){
		.gd_sel = tss_install(NCPU + cpu, ts),
		.gd_type = STS_TG,
		.gd_p = 1,
	};
}
