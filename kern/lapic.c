// The local APIC of each CPU: it receives interrupts from other CPUs, sends interrupts to them, and
// has a timer (Intel, volume 3, chapter 10). Each CPU has its own at the same physical address.

#include <inc/assert.h>
#include <inc/memlayout.h>
#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/dev/kclock.h>
#include <kern/pmap.h>
#include <kern/probe.h>

// Registers, as byte offsets (table 10-1).
#define ID            0x020
#define VER           0x030
#define TPR           0x080 // Task priority
#define EOI           0x0B0
#define SVR           0x0F0 // Spurious interrupt vector
#define ESR           0x280 // Error status
#define ICRLO         0x300 // Interrupt command
#define ICRHI         0x310
#define LVT_TIMER     0x320
#define LVT_PERF      0x340
#define LVT_LINT0     0x350
#define LVT_LINT1     0x360
#define LVT_ERROR     0x370
#define TIMER_INITIAL 0x380
#define TIMER_CURRENT 0x390
#define TIMER_DIVIDE  0x3E0

#define SVR_ENABLE   0x00000100
#define LVT_MASKED   0x00010000
#define LVT_PERIODIC 0x00020000
#define DIVIDE_BY_1  0x0000000B
#define LVT_EXTINT   0x00000700 // The 8259 gives the vector
#define LVT_NMI      0x00000400
#define ICR_NMI      0x00000400
#define ICR_INIT     0x00000500
#define ICR_STARTUP  0x00000600
#define ICR_PENDING  0x00001000
#define ICR_ASSERT   0x00004000
#define ICR_LEVEL    0x00008000

#define ICR_PATIENCE 10000 // Reads of ICRLO while waiting until an interrupt is sent

#define CMOS_SHUTDOWN     0x0F // Tells the BIOS what to do after a reset
#define WARM_RESET_VECTOR 0x467

static volatile uint32_t *lapic;

static uint32_t
lapic_read(uint32_t reg)
{
	return lapic[reg / sizeof(*lapic)];
}

static void
lapic_write(uint32_t reg, uint32_t value)
{
	lapic[reg / sizeof(*lapic)] = value;
	lapic_read(ID); // Reading any register waits until the write has arrived.
}

// Set up this CPU's local APIC, if there is one. Every CPU calls it once, the boot CPU first.
void
lapic_init(void)
{
	// The 8259s' output and the NMI line go to all CPUs: only the boot CPU accepts them.
	bool takes_lines = thiscpu == bootcpu;
	const struct {
		uint32_t reg, value;
	} settings[] = {
		{ SVR, SVR_ENABLE | T_LAPIC_SPURIOUS }, // First: it masks the LVT while disabled.
		{ TPR, 0 },                             // Accept interrupts of all priorities.
		{ LVT_LINT0, takes_lines ? LVT_EXTINT : LVT_MASKED },
		{ LVT_LINT1, takes_lines ? LVT_NMI : LVT_MASKED },
		{ LVT_TIMER, LVT_PERIODIC | (IRQ_OFFSET + IRQ_TIMER) },
		{ TIMER_DIVIDE, DIVIDE_BY_1 }, // The timer starts with its first count.
		{ LVT_ERROR, T_LAPIC_ERROR },
		{ ESR, 0 }, // A write shows the errors since the previous write:
		{ ESR, 0 }, // two of them clear the register.
		{ EOI, 0 }, // The BIOS may have left an interrupt in service.
	};

	if (!lapicaddr)
		return;
	if (!lapic)
		lapic = mmio_map_region(lapicaddr, PGSIZE);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		lapic_write(settings[i].reg, settings[i].value);
	uint32_t last_lvt = lapic_read(VER) >> 16 & 0xFF;
	if (last_lvt >= 4)
		lapic_write(LVT_PERF, LVT_MASKED);
}

// This CPU's APIC id, read from the hardware.
uint8_t
lapic_id(void)
{
	return lapic ? lapic_read(ID) >> 24 : 0;
}

// Tell the local APIC that the interrupt in service has been handled.
void
lapic_eoi(void)
{
	if (lapic)
		lapic_write(EOI, 0);
}

// Make this CPU's timer interrupt as IRQ_TIMER every `count` ticks. 0 stops the timer.
void
lapic_timer_set(uint32_t count)
{
	if (lapic)
		lapic_write(TIMER_INITIAL, count);
}

uint32_t
lapic_timer_left(void)
{
	return lapic ? lapic_read(TIMER_CURRENT) : 0;
}

static void
icr_send(uint8_t apicid, uint32_t command)
{
	lapic_write(ICRHI, (uint32_t)apicid << 24);
	lapic_write(ICRLO, command);
	for (int patience = ICR_PATIENCE; patience > 0; patience--) {
		if (!(lapic_read(ICRLO) & ICR_PENDING))
			return;
	}
}

// Send a vector to another CPU, which takes it when its interrupts are on: in user mode or halted.
void
lapic_ipi(int cpu, int vector)
{
	assert(lapic && cpu >= 0 && cpu < ncpu);
	probe(PROBE_IPI, cpu << 8 | vector);
	icr_send(cpus[cpu].cpu_apicid, ICR_ASSERT | vector);
}

// Interrupt another CPU even if it has interrupts off.
void
lapic_nmi(int cpu)
{
	if (lapic)
		icr_send(cpus[cpu].cpu_apicid, ICR_ASSERT | ICR_NMI);
}

// Exchange the warm reset vector and the shutdown code with those in *warm_reset. The oldest local
// APICs have no STARTUP: after INIT, the BIOS of their CPUs jumps to the address in that vector. A
// second call restores both, so that a later reset of the machine is an ordinary reset.
void
lapic_swap_warm_reset(struct WarmReset *warm_reset)
{
	struct WarmReset old = { .shutdown = mc146818_read(CMOS_SHUTDOWN) };

	memcpy(old.vector, KADDR(WARM_RESET_VECTOR), sizeof(old.vector)); // It is not aligned.
	mc146818_write(CMOS_SHUTDOWN, warm_reset->shutdown);
	memcpy(KADDR(WARM_RESET_VECTOR), warm_reset->vector, sizeof(old.vector));
	*warm_reset = old;
}

// Send INIT to another CPU. The caller then waits 10 ms, once for all CPUs, and calls lapic_startap
// (section 8.4.4.1; MultiProcessor Specification 1.4, appendix B.4).
void
lapic_startap_init(uint8_t apicid)
{
	icr_send(apicid, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
	udelay(200);
	icr_send(apicid, ICR_INIT | ICR_LEVEL);
}

// Start a CPU, 10 ms after its INIT, at physical address `start`: a page below 1 MB.
void
lapic_startap(uint8_t apicid, physaddr_t start)
{
	assert(PGOFF(start) == 0 && start < EXTPHYSMEM);
	// Twice, as specified: a CPU that already runs ignores the second STARTUP.
	for (int i = 0; i < 2; i++) {
		icr_send(apicid, ICR_STARTUP | start >> PGSHIFT);
		udelay(200);
	}
}
