// Where a trap goes that is no system call (syscall.c). trapentry.S calls trap() with
// interrupts off. From user mode, trap() takes the big lock, dispatches, and returns with
// the lock dropped to the environment that trapped, if it may still run; else the
// scheduler finds another.
//
// From kernel mode there are only interrupts of a halted CPU, which take no lock, and
// the kernel's own mistakes, which panic. So do the hardware's errors, in either mode. A
// non-maskable interrupt (NMI) reports such an error; but with it a CPU that panics also stops
// the others (init.c), and a CPU interrupts another whose program has interrupts off (tlb.c).

#include <inc/assert.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/dev/console.h>
#include <kern/cpu.h>
#include <kern/doublefault.h>
#include <kern/env.h>
#include <kern/challenge/fpu.h>
#include <kern/init.h>
#include <kern/kdebug.h>
#include <kern/monitor.h>
#include <kern/pmap.h>
#include <kern/sched.h>
#include <kern/spinlock.h>
#include <kern/syscall.h>
#include <kern/tlb.h>
#include <kern/trap.h>
#include <kern/upcall.h>

extern const uint8_t trap_stubs[], sysenter_entry[], sysenter_stepped[];

uint32_t spurious_interrupts;

// They are alike, but for the gate that doublefault.c puts into each.
struct Gatedesc idt[NCPU][256];

// All are interrupt gates, so that the kernel is entered with interrupts off. Users
// may call three of them by int, int3 and into; any other one that they try is a general
// protection.
void
trap_init(void)
{
	for (int vector = 0; vector < 256; vector++) {
		int dpl = vector == T_SYSCALL || vector == T_BRKPT || vector == T_OFLOW ? 3 : 0;
		SETGATE(idt[0][vector], 0, GD_KT, trap_stubs + vector * STUB_SIZE, dpl);
	}
	for (int cpu = 1; cpu < NCPU; cpu++)
		memcpy(idt[cpu], idt[0], sizeof(idt[0]));
}

uint16_t
tss_install(int number, const struct Taskstate *ts)
{
	uint16_t selector = GD_TSS0 + (number << 3);
	struct Segdesc desc = SEG16(STS_T32A, (uint32_t)ts, sizeof(*ts) - 1, 0);

	desc.sd_s = 0; // A system segment
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
		.ts_iomb = sizeof(*ts), // Beyond the limit: users may use no I/O port.
	};
	ltr(tss_install(cpu, ts));
	doublefault_init_percpu();
	lidt(&idt_pd);

	// Without these bits two exceptions do not come: alignment check, and machine
	// check, which would stop the CPU.
	uint32_t features;
	cpuid(1, NULL, NULL, NULL, &features);
	if (features & CPUID_MCE)
		lcr4(rcr4() | CR4_MCE);
	lcr0(rcr0() | CR0_AM);
	if (has_sysenter()) {
		wrmsr(MSR_SYSENTER_CS, GD_KT);
		wrmsr(MSR_SYSENTER_ESP, KSTACKTOP_CPU(cpu));
		wrmsr(MSR_SYSENTER_EIP, (uintptr_t)sysenter_entry);
	}
}

// ---- Saying what happened ----

// The name of a vector: that of the first range that it is in.
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

// The address to print for a frame. A trap from user mode leaves its frame at the top of the
// kernel stack, where the next trap overwrites it: copy it to the environment's env_tf, which
// keeps it, and whose address lab notes and graders expect.
static const struct Trapframe *
lasting_frame(const struct Trapframe *tf)
{
	bool from_user = (tf->tf_cs & 3) || (tf->tf_eflags & FL_VM);

	if (!from_user || !curenv || (uintptr_t)tf >= KSTACKTOP)
		return tf;
	curenv->env_tf = *tf;
	return &curenv->env_tf;
}

// Print a frame: of a trap on this CPU, or one that env_tf of any environment holds.
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
	kdebug_print_user(curenv, tf->tf_eip);
	env_destroy(curenv);
}

// Exercise 9, with upcall.c.
void
page_fault_handler(struct Trapframe *tf)
{
	const struct Env *e = curenv;
	void *upcall = e->env_pgfault_upcall;
	uint32_t va = rcr2();

	if (upcall) {
		upcall_enter(tf, upcall, va);
		return;
	}
	cprintf("[%08x] user fault va %08x ip %08x\n", e->env_id, va, tf->tf_eip);
	fatal_user_trap(tf);
}

// Another exception: its handler finds the vector where a page fault's has the address.
static void
exception_handler(struct Trapframe *tf)
{
	uint32_t trapno = tf->tf_trapno;

	if (trapno <= T_SIMDERR && curenv->env_upcalls[trapno])
		upcall_enter(tf, curenv->env_upcalls[trapno], trapno);
	else
		fatal_user_trap(tf);
}

// What an interrupt wants at once, in user mode or while this CPU is halted, perhaps
// waiting for the big lock: so this must do without it. The 8259s end theirs by
// themselves; the local APIC wants to be told (but not of a spurious one), and lets
// no further one through before.
static void
interrupt_handler(struct Trapframe *tf)
{
	switch (tf->tf_trapno) {
	case IRQ_OFFSET + IRQ_TIMER: // Exercise 14, with sched_tick
		thiscpu->cpu_ticked = true; // For trap_leave
		lapic_eoi();
		break;
	case IRQ_OFFSET + IRQ_KBD:
	case IRQ_OFFSET + IRQ_SERIAL:
		cons_intr();
		break;
	case T_LAPIC_ERROR:
	case T_IPI_WAKE: // Being here, in the kernel, is all that it is for.
		lapic_eoi();
		break;
	default:
		spurious_interrupts++;
	}
}

// Faults come again by themselves, but the instructions that trap on purpose (int $T_SYSCALL and
// sysenter, int3, into) have been passed. (A breakpoint in two bytes, CD 03, does not look
// different, and is its program's own fault.)
void
trap_rewind(struct Trapframe *tf)
{
	if (tf->tf_trapno == T_SYSCALL)
		tf->tf_eip -= 2;
	else if (tf->tf_trapno == T_BRKPT || tf->tf_trapno == T_OFLOW)
		tf->tf_eip -= 1;
}

static bool
is_interrupt(uint32_t trapno)
{
	return trapno >= IRQ_OFFSET && trapno != T_SYSCALL;
}

// After an interrupt in user mode, with the lock. (A tick is treated by trap_leave.)
static void
user_interrupt(struct Trapframe *tf)
{
	cons_wake_readers();
}

static __attribute__((noinline)) void
trap_dispatch(struct Trapframe *tf)
{
	static void (*const handlers[])(struct Trapframe *) = {
		[T_NMI] = user_interrupt, // Sent by force_into_kernel: trap
		[T_BRKPT] = monitor,
		[T_DEVICE] = fpu_trap,
		[T_PGFLT] = page_fault_handler,
	};
	uint32_t trapno = tf->tf_trapno;

	if (trapno < ARRAY_SIZE(handlers) && handlers[trapno])
		handlers[trapno](tf);
	else if (is_interrupt(trapno))
		user_interrupt(tf);
	else
		exception_handler(tf);
}

// ---- Traps from kernel mode, and those that are nobody's fault ----

static bool
is_hardware_fault(uint32_t trapno)
{
	return trapno == T_NMI || trapno == T_MCHK;
}

static void
kernel_fault(struct Trapframe *tf)
{
	uint32_t va = rcr2();

	panic_begin(trapname(tf->tf_trapno), tf->tf_eip);
	print_trapframe(tf);
	if (is_hardware_fault(tf->tf_trapno))
		panic("%s: the hardware reports an error", trapname(tf->tf_trapno));
	kdebug_print_kernel(tf->tf_eip);
	if (tf->tf_trapno == T_PGFLT)
		panic("page fault in the kernel at va %08x, eip %08x", va, tf->tf_eip);
	panic("%s in the kernel, eip %08x", trapname(tf->tf_trapno), tf->tf_eip);
}

// In virtual-8086 mode (see user_flags_ok) tf_cs holds no selector, and the CPU has pushed more
// than a struct Trapframe, so that tf is not where env_frame looks for it.
static bool
is_virtual_8086(const struct Trapframe *tf)
{
	return tf->tf_eflags & FL_VM;
}

// A program that is single-stepped executes sysenter: the CPU does not clear TF, and stops
// before the kernel's first instruction.
static bool
is_sysenter_step(const struct Trapframe *tf)
{
	return tf->tf_trapno == T_DEBUG && tf->tf_eip == (uintptr_t)sysenter_entry;
}

static void
resume_stepped(struct Trapframe *tf)
{
	tf->tf_eip = (uintptr_t)sysenter_stepped;
	tf->tf_eflags &= ~FL_TF;
}

// Whether curenv, with that status, must be told of a trap now: if another CPU has not stopped or
// destroyed it since it was last in here; and if it was stopped, of that which trap_rewind cannot
// make come again, a single step's, which has been done.
static inline bool
is_due(const struct Trapframe *tf, unsigned status)
{
	return status == ENV_RUNNING || (status == ENV_NOT_RUNNABLE && tf->tf_trapno == T_DEBUG);
}

// After sysenter, until sysentry.S has loaded its own, ds and es are the program's, and may hold
// no selectors: to load them again would be a fault.
static uint16_t
loadable(uint16_t selector)
{
	return selector == GD_KD || is_user_selector(selector) ? selector : 0;
}

// An NMI that comes between `sti` and `hlt` lets in an interrupt that waits before the hlt, which
// would then sleep although its wake-up has come. Its callers look again what they wait for.
static void
skip_halt(struct Trapframe *tf)
{
	const uint8_t hlt = 0xF4;

	if (*(const uint8_t *)tf->tf_eip == hlt)
		tf->tf_eip++;
}

static void
trap_from_kernel(struct Trapframe *tf)
{
	user_access_end();
	tf->tf_ds = loadable(tf->tf_ds);
	tf->tf_es = loadable(tf->tf_es);
	if (is_interrupt(tf->tf_trapno))
		interrupt_handler(tf);
	else if (tf->tf_trapno == T_NMI && tlb_take_nmi(thiscpu))
		skip_halt(tf); // The CPU was already on its way in.
	else if (is_sysenter_step(tf))
		resume_stepped(tf);
	else
		kernel_fault(tf);
}

void
trap(struct Trapframe *tf)
{
	struct CpuInfo *c = thiscpu;

	if (panicstr && !panicking())
		panic_halt();
	if (!(tf->tf_cs & 3) && !is_virtual_8086(tf)) {
		trap_from_kernel(tf);
		return;
	}
	trap_enter(c, tf);
	if (is_interrupt(tf->tf_trapno))
		interrupt_handler(tf);
	else if (tf->tf_trapno == T_MCHK || (tf->tf_trapno == T_NMI && !tlb_take_nmi(c)))
		kernel_fault(tf);
	trap_lock(c);
	if (!user_flags_ok(tf))
		fatal_user_trap(tf);
	else if (is_due(tf, c->cpu_env->env_status))
		trap_dispatch(tf);
	else
		trap_rewind(tf);
	trap_leave(c);
}
