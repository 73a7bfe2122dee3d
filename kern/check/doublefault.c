// Handling of double faults. A double fault is a fault that happens while the CPU delivers another
// fault (Intel, volume 3, section 6.15). In the kernel the usual cause is a stack overflow: the
// stack has grown into its guard, so the CPU cannot push the frame of the page fault. The handler
// of double faults therefore needs a stack of its own. In 32-bit mode, a task gate provides this
// stack. The CPU saves all registers in the current TSS. Then it loads all registers, including
// esp, from the TSS that the gate names. The handler prints the saved registers and panics. It
// never returns.
//
// Each CPU has its own TSS and stack for double faults. (If all CPUs shared one TSS, the first
// double fault would leave the TSS busy, and a double fault of a second CPU would reset the
// machine.) A gate names one TSS, so each CPU also has its own interrupt table. The tables differ
// only in this gate. (With one table and a GDT per CPU, all CPUs would have the same TSS selector,
// and cpunum() could not distinguish the CPUs.)
//
// CPU i's TSS and stack for double faults are at the places where the TSS and kernel stack of a CPU
// with number NCPU + i would be. So a double-fault stack also has a guard below. A double-fault
// stack is at a lower address than all kernel stacks, as a called function's frame is at a lower
// address than its caller's frame. So a backtrace continues from the double-fault stack to the
// kernel stack.

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

// Return the registers in ts as a trap frame.
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

// Return whether an address is in the guard below a CPU's kernel stack.
static bool
in_guard(int cpu, uintptr_t va)
{
	uintptr_t limit = KSTACKTOP_CPU(cpu) - KSTKSIZE;

	return va >= limit - KSTKGAP && va < limit;
}

// Load this CPU's normal TSS into the task register again: cpunum() reads the task register, which
// the task switch has changed. Returns the CPU's number. (After the task switch, the normal TSS is
// still marked busy, because the handler could return to it. But ltr does not accept a busy TSS. So
// this function first removes the mark.)
static __attribute__((noinline)) int
reload_task_register(void)
{
	uint16_t selector = str() - (NCPU << 3);

	gdt[selector >> 3].sd_type = STS_T32A;
	ltr(selector);
	return (selector - GD_TSS0) >> 3;
}

// The CPU starts here after the task switch. The stack holds only the error code, 0, at the place
// where a called function finds its return address.
static __attribute__((noreturn)) void
double_fault(void)
{
	int cpu = reload_task_register();
	const struct Taskstate *ts = &cpus[cpu].cpu_ts;
	volatile uint32_t *frame = __builtin_frame_address(0);
	uint32_t va = rcr2();

	panic_begin(trapname(T_DBLFLT), ts->ts_eip);
	struct Trapframe tf = frame_of(ts);
	print_trapframe(&tf);
	// Make the panic's backtrace continue in the function that faulted, as if that function
	// had called double_fault. The 1 is added because a return address is after the call
	// instruction.
	frame[0] = ts->ts_ebp;
	frame[1] = ts->ts_eip + 1;
	kdebug_print_kernel(ts->ts_eip);
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
