// The local APIC of each CPU: its set-up, and the start of other CPUs (Intel, volume 3, chapter
// 10). Each CPU has its own local APIC, and all CPUs see theirs at the same physical address. ipi.c
// sends interrupts and uses the timer.

#include <inc/assert.h>
#include <inc/memlayout.h>
#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/trap.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/dev/kclock.h>
#include <kern/ipi.h>
#include <kern/pmap.h>

#define CMOS_SHUTDOWN     0x0F // Tells the BIOS what to do after a reset
#define WARM_RESET_VECTOR 0x467

// Set up this CPU's local APIC, if there is one. Each CPU calls this once, the boot CPU first.
void
lapic_init(void)
{
	// The 8259s' output and the NMI line go to all CPUs, so only the boot CPU accepts them.
	bool takes_lines = thiscpu == bootcpu;
	const struct {
		uint32_t reg, value;
	} settings[] = {
		{ SVR, SVR_ENABLE | T_LAPIC_SPURIOUS }, // First: the LVT stays masked until this.
		{ TPR, 0 },                             // Accept interrupts of all priorities.
		{ LVT_LINT0, takes_lines ? LVT_EXTINT : LVT_MASKED },
		{ LVT_LINT1, takes_lines ? LVT_NMI : LVT_MASKED },
		{ LVT_TIMER, LVT_PERIODIC | (IRQ_OFFSET + IRQ_TIMER) },
		{ TIMER_DIVIDE, DIVIDE_BY_1 }, // The timer starts when a count is set.
		{ LVT_ERROR, T_LAPIC_ERROR },
		{ ESR, 0 }, // A write shows the errors since the previous write,
		{ ESR, 0 }, // so two writes clear the register.
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

// Return this CPU's APIC id, read from the hardware, or 0 without a local APIC.
uint8_t
lapic_id(void)
{
	return lapic ? lapic_read(ID) >> 24 : 0;
}

// Exchange the warm reset vector and the shutdown code with those in *warm_reset. The oldest local
// APICs have no STARTUP interrupt: after INIT, the BIOS of their CPUs jumps to the address in that
// vector. A second call restores both, so that a later reset of the machine is an ordinary reset.
void
lapic_swap_warm_reset(struct WarmReset *warm_reset)
{
	struct WarmReset old = { .shutdown = mc146818_read(CMOS_SHUTDOWN) };

	// By memcpy, because the vector is not aligned.
	memcpy(old.vector, KADDR(WARM_RESET_VECTOR), sizeof(old.vector));
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

// Start a CPU, 10 ms after its INIT, at physical address `start`, the start of a page below 1 MB.
void
lapic_startap(uint8_t apicid, physaddr_t start)
{
	assert(PGOFF(start) == 0 && start < EXTPHYSMEM);
	// Sent twice, as specified: a CPU that already runs ignores the second STARTUP.
	for (int i = 0; i < 2; i++) {
		icr_send(apicid, ICR_STARTUP | start >> PGSHIFT);
		udelay(200);
	}
}
