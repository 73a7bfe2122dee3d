// The first part of a panic: one CPU stops the others and takes the console. _panic in init.c then
// prints the message.

#include <inc/stdio.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/dev/console.h>
#include <kern/dev/kclock.h>
#include <kern/panic.h>

#define STOP_PATIENCE 1000 // Milliseconds to wait for the other CPUs to stop

const char *volatile panicstr;
static volatile uint32_t panicker; // Number of the CPU that has panicked, plus 1; or 0

void
panic_halt(void)
{
	thiscpu->cpu_status = CPU_STOPPED;
	for (;;)
		__asm__ volatile("cli; hlt");
}

bool
panicking(void)
{
	return panicker == (uint32_t)cpunum() + 1;
}

// Handle a panic within a panic on this CPU: print it (only once), and halt.
static __attribute__((noreturn)) void
panic_again(const char *why, uintptr_t eip)
{
	static bool said;

	if (!said) {
		said = true;
		cons_lock_for_panic(); // The first panic may not have done this yet.
		cprintf("\nanother panic within the panic: %s, eip %08x\n", why, eip);
	}
	panic_halt();
}

// Stop the other CPUs. NMIs are used because a CPU may never turn its interrupts on again. (A CPU
// that has not started gets no NMI, because it would handle the NMI in real mode.)
static void
stop_others(void)
{
	int patience = STOP_PATIENCE;

	for (int i = 0; i < ncpu; i++) {
		if (i != cpunum() && cpus[i].cpu_status != CPU_UNUSED)
			lapic_nmi(i);
	}
	for (int i = 0; i < ncpu; i++) {
		while (i != cpunum() && cpus[i].cpu_status != CPU_UNUSED &&
		       cpus[i].cpu_status != CPU_STOPPED && --patience > 0)
			udelay(1000);
	}
}

void
panic_begin(const char *why, uintptr_t eip)
{
	uint32_t none = 0, me = cpunum() + 1;

	cli();
	if (panicking())
		panic_again(why, eip);
	if (!__atomic_compare_exchange_n(
		&panicker, &none, me, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		panic_halt();
	panicstr = why;
	cons_lock_for_panic();
	stop_others();
	cons_end_line();
}
