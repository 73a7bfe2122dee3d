// Traps: exceptions, interrupts and system calls. trapentry.S calls trap() with interrupts off.
//
// A trap from user mode is handled with the big lock. Then the environment continues, or, if it may
// no longer run, the scheduler chooses another environment. An interrupt of a halted CPU is a trap
// from kernel mode, and is handled without the lock. Any other trap from kernel mode is an error of
// the kernel, which panics.
//
// A non-maskable interrupt (NMI) usually reports a hardware error. The kernel also sends NMIs: to
// stop other CPUs in a panic (panic.c), and to interrupt a program that has interrupts off (tlb.c).

#include <inc/assert.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/dev/console.h>
#include <kern/cpu.h>
#include <kern/check/breakin.h>
#include <kern/check/doublefault.h>
#include <kern/env.h>
#include <kern/challenge/challenge.h>
#include <kern/panic.h>
#include <kern/check/kdebug.h>
#include <kern/monitor.h>
#include <kern/pmap.h>
#include <kern/sched.h>
#include <kern/spinlock.h>
#include <kern/syscall.h>
#include <kern/tlb.h>
#include <kern/trap.h>
#include <kern/trapcases.h>
#include <kern/upcall.h>
#include <kern/wait.h>

extern const uint8_t trap_stubs[]; // Defined in trapentry.S

uint32_t spurious_interrupts;

// One table per CPU. The tables differ only in the gate for double faults (check/doublefault.c).
struct Gatedesc idt[NCPU][256];

// All gates are interrupt gates, which turn interrupts off. Programs may use three gates, with the
// instructions int $T_SYSCALL, int3 and into. If a program executes int with another vector, the
// CPU raises a general protection fault.
void
trap_init(void)
{
	for (int vector = 0; vector < 256; vector++) {
		int dpl = vector == T_SYSCALL || vector == T_BRKPT || vector == T_OFLOW ? 3 : 0;
		SETGATE(idt[0][vector], 0, GD_KT, trap_stubs + vector * STUB_SIZE, dpl);
	}
	challenge_init(); // Replaces the gate of T_SYSCALL by a faster entry point.
	for (int cpu = 1; cpu < NCPU; cpu++)
		memcpy(idt[cpu], idt[0], sizeof(idt[0]));
}

uint16_t
tss_install(int number, const struct Taskstate *ts)
{
	uint16_t selector = GD_TSS0 + (number << 3);
	struct Segdesc desc = SEG16(STS_T32A, (uint32_t)ts, sizeof(*ts) - 1, 0);

	desc.sd_s = 0; // A TSS is a system segment.
	gdt[selector >> 3] = desc;
	return selector;
}

// Exercise 4.
void
trap_init_percpu(int cpu)
{
	struct Taskstate *ts = &cpus[cpu].cpu_ts;
	const struct Pseudodesc idt_pd = { sizeof(idt[cpu]) - 1, (uint32_t)idt[cpu] };

	*ts = (struct Taskstate){
		.ts_esp0 = KSTACKTOP_CPU(cpu),
		.ts_ss0 = GD_KD,
		.ts_iomb = sizeof(*ts), // No I/O bitmap: programs cannot use I/O ports.
	};
	ltr(tss_install(cpu, ts));
	doublefault_init_percpu();
	lidt(&idt_pd);

	// CR4.MCE enables machine check exceptions; otherwise a machine check would stop the CPU.
	// CR0.AM enables alignment check exceptions. CR0.TS makes floating-point instructions raise
	// T_DEVICE: programs can use them only if challenge/fpu.c handles T_DEVICE.
	uint32_t features;
	cpuid(1, NULL, NULL, NULL, &features);
	if (features & CPUID_MCE)
		lcr4(rcr4() | CR4_MCE);
	lcr0(rcr0() | CR0_AM | CR0_MP | CR0_TS);
}

// ---- Printing a trap frame ----

// Return the name of the trap with vector trapno: the text of the first range that contains it.
const char *
trapname(uint32_t trapno)
{
#define X(number, name, text) { number, number, text },
	static const struct {
		uint32_t first, last;
		const char *text;
	} ranges[] = {
		TRAPS(X){ IRQ_OFFSET, IRQ_OFFSET + 15, "Hardware Interrupt" },
		{ T_SYSCALL, T_SYSCALL, "System call" },
		{ 0, UINT32_MAX, "(unknown trap)" },
	};
#undef X
	size_t i = 0;

	while (trapno < ranges[i].first || trapno > ranges[i].last)
		i++;
	return ranges[i].text;
}

static void
print_regs(const struct PushRegs *regs)
{
	static const char *const names[] = { "edi", "esi", "ebp", "oesp", "ebx", "edx", "ecx",
		"eax" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		cprintf("  %-4s 0x%08x\n", names[i], ((const uint32_t *)regs)[i]);
}

// Return the frame whose address print_trapframe prints. The frame of a trap from user mode is at
// the top of the kernel stack, and the next trap overwrites it. So copy this frame to the
// environment's env_tf, whose address lab notes and graders expect.
static const struct Trapframe *
lasting_frame(const struct Trapframe *tf)
{
	if (!trap_from_user(tf) || !curenv || (uintptr_t)tf >= KSTACKTOP)
		return tf;
	curenv->env_tf = *tf;
	return &curenv->env_tf;
}

// Print a trap frame. tf is the frame of a trap on this CPU, or an environment's env_tf.
void
print_trapframe(struct Trapframe *tf)
{
	cprintf("TRAP frame at 0x%08x from CPU %d\n", (uint32_t)lasting_frame(tf), cpunum());
	print_regs(&tf->tf_regs);
	cprintf("  es   0x----%04x\n", tf->tf_es);
	cprintf("  ds   0x----%04x\n", tf->tf_ds);
	cprintf("  trap 0x%08x %s\n", tf->tf_trapno, trapname(tf->tf_trapno));
	if (tf->tf_trapno == T_PGFLT) {
		cprintf("  cr2  0x%08x\n", rcr2());
		cprintf("  err  0x%08x [%s, %s, %s]\n", tf->tf_err,
		    tf->tf_err & FEC_U ? "user" : "kernel", tf->tf_err & FEC_WR ? "write" : "read",
		    tf->tf_err & FEC_PR ? "protection" : "not-present");
	} else {
		cprintf("  err  0x%08x\n", tf->tf_err);
	}
	cprintf("  eip  0x%08x\n", tf->tf_eip);
	cprintf("  cs   0x----%04x\n", tf->tf_cs);
	cprintf("  flag 0x%08x\n", tf->tf_eflags);
	if (tf->tf_cs & 3) {
		cprintf("  esp  0x%08x\n", tf->tf_esp);
		cprintf("  ss   0x----%04x\n", tf->tf_ss);
	}
}

// ---- Traps from user mode ----

void
fatal_user_trap(struct Trapframe *tf)
{
	print_trapframe(tf);
	kdebug_print_user(curenv, tf);
	env_destroy(curenv);
}

// Exercise 9, together with upcall.c.
void
page_fault_handler(struct Trapframe *tf)
{
	const struct Env *e = curenv;
	void *upcall = e->env_pgfault_upcall;
	uint32_t va = rcr2();

	probe(PROBE_FAULT, va);
	if (upcall) {
		upcall_enter(tf, upcall, va);
		return;
	}
	cprintf("[%08x] user fault va %08x ip %08x\n", e->env_id, va, tf->tf_eip);
	fatal_user_trap(tf);
}

// Handle an interrupt that arrived in user mode, or while this CPU was halted. A halted CPU may be
// waiting for the big lock, so take no lock except the console's. The local APIC sends no further
// interrupt until lapic_eoi is called. (A spurious interrupt needs no lapic_eoi, and an interrupt
// from the 8259s ends automatically.)
static void
interrupt_handler(struct Trapframe *tf)
{
	switch (tf->tf_trapno) {
	case IRQ_OFFSET + IRQ_TIMER:
		thiscpu->cpu_ticked = true; // Exercise 14, with trap_leave and sched_tick
		lapic_eoi();
		break;
	case IRQ_OFFSET + IRQ_KBD:
	case IRQ_OFFSET + IRQ_SERIAL:
		cons_intr();
		break;
	case T_LAPIC_ERROR:
	case T_IPI_WAKE: // This interrupt only ends a halt, or makes this CPU enter the kernel.
		lapic_eoi();
		break;
	default:
		spurious_interrupts++;
	}
}

static bool
is_interrupt(uint32_t trapno)
{
	return trapno >= IRQ_OFFSET && trapno != T_SYSCALL;
}

// Finish an interrupt from user mode, with the big lock. If interrupt_handler has read characters,
// wake environments that wait for characters; if it has read Ctrl-C, enter the monitor. (trap_leave
// handles a timer tick.)
static void
user_interrupt(struct Trapframe *tf)
{
	cons_wake_readers();
	if (breakin_wanted(tf))
		monitor(tf);
}

// Handle a trap from user mode. This CPU holds the big lock.
static __attribute__((noinline)) void
trap_dispatch(struct Trapframe *tf)
{
	static void (*const handlers[])(struct Trapframe *) = {
		[T_NMI] = user_interrupt, // trap() has checked that force_into_kernel sent it.
		[T_BRKPT] = monitor,
		[T_PGFLT] = page_fault_handler,
		[T_SYSCALL] = syscall,
	};
	uint32_t trapno = tf->tf_trapno;

	if (trapno < ARRAY_SIZE(handlers) && handlers[trapno])
		handlers[trapno](tf);
	else if (is_interrupt(trapno))
		user_interrupt(tf);
	else if (step_done(tf))
		monitor(tf);
	else if (!challenge_trap(tf))
		fatal_user_trap(tf);
}

// ---- Traps from kernel mode, and hardware errors ----

static void
kernel_fault(struct Trapframe *tf)
{
	uint32_t va = rcr2();

	panic_begin(trapname(tf->tf_trapno), tf->tf_eip);
	print_trapframe(tf);
	if (tf->tf_trapno == T_NMI || tf->tf_trapno == T_MCHK)
		panic("%s: the hardware reports an error", trapname(tf->tf_trapno));
	kdebug_print_kernel(tf->tf_eip);
	if (tf->tf_trapno == T_PGFLT)
		panic("page fault in the kernel at va %08x, eip %08x", va, tf->tf_eip);
	panic("%s in the kernel, eip %08x", trapname(tf->tf_trapno), tf->tf_eip);
}

static void
trap_from_kernel(struct Trapframe *tf)
{
	user_access_end();
	trap_fix_segments(tf);
	if (is_interrupt(tf->tf_trapno)) {
		probe(PROBE_INTERRUPT, (uintptr_t)tf);
		interrupt_handler(tf);
	} else if (tf->tf_trapno == T_NMI && tlb_take_nmi(thiscpu))
		trap_skip_halt(tf); // force_into_kernel sent the NMI a little too late.
	else if (!challenge_kernel_trap(tf))
		kernel_fault(tf);
}

// ---- Entry into the kernel, and return ----

// Step 3 of a trap (trapentry.S describes all steps). trap.h defines trap_enter, trap_lock and
// trap_leave.
HOT void
trap(struct Trapframe *tf)
{
	struct CpuInfo *c = thiscpu;

	if (panicstr && !panicking())
		panic_halt();
	if (!trap_from_user(tf)) {
		trap_from_kernel(tf);
		return;
	}
	// Without the lock: handle an interrupt. If the hardware reports an error, panic.
	trap_enter(c, tf);
	if (is_interrupt(tf->tf_trapno))
		interrupt_handler(tf);
	else if (tf->tf_trapno == T_MCHK || (tf->tf_trapno == T_NMI && !tlb_take_nmi(c)))
		kernel_fault(tf);

	// With the lock: if the environment may still run, handle the trap.
	trap_lock(c);
	if (!user_flags_ok(tf))
		fatal_user_trap(tf);
	else if (trap_is_due(tf, c->cpu_env->env_status))
		trap_dispatch(tf);
	else
		trap_rewind(tf);

	// Return to user mode, or call the scheduler.
	trap_leave(c);
}
