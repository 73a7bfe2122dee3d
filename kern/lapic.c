// Setting up the local APIC, and starting other CPUs with it (Intel, volume 3, chapter 10). Each
// CPU has its own local APIC, but all CPUs use the same physical address to access their local
// APICs. ipi.c sends interrupts and uses the timer.

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

#define CMOS_SHUTDOWN     0x0F // A CMOS register: what the BIOS does after a reset
#define WARM_RESET_VECTOR 0x467

// Set up this CPU's local APIC, if the machine has local APICs. CPU 0 calls lapic_init first.
void
lapic_init(void)
{
	// The interrupt lines of the 8259s and of NMIs go to all CPUs. Only the boot CPU uses them.
	bool takes_lines = thiscpu == bootcpu;
	const struct {
		uint32_t reg, value;
	} settings[] = {
		{ SVR, SVR_ENABLE | T_LAPIC_SPURIOUS }, // First, to allow unmasking of the LVT.
		{ TPR, 0 },                             // Accept interrupts of all priorities.
		{ LVT_LINT0, takes_lines ? LVT_EXTINT : LVT_MASKED },
		{ LVT_LINT1, takes_lines ? LVT_NMI : LVT_MASKED },
		{ LVT_TIMER, LVT_PERIODIC | (IRQ_OFFSET + IRQ_TIMER) },
		{ TIMER_DIVIDE, DIVIDE_BY_1 }, // The timer starts only when a count is set.
		{ LVT_ERROR, T_LAPIC_ERROR },
		{ ESR, 0 }, // A write loads the errors since the previous write.
		{ ESR, 0 }, // The second write clears the register.
		{ EOI, 0 }, // End an interrupt that the BIOS may have left in service.
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

// Return this CPU's APIC id, as read from the hardware. Returns 0 if there is no local APIC.
uint8_t
lapic_id(void)
{
	return lapic ? lapic_read(ID) >> 24 : 0;
}

// Exchange the BIOS's shutdown code and warm reset vector with those in *warm_reset. The oldest
// local APICs have no STARTUP interrupt. With such an APIC, INIT makes the BIOS jump to the address
// in the vector. A second call restores the old values, so that a later reset is an ordinary reset.
void
lapic_swap_warm_reset(struct WarmReset *warm_reset)
{
	struct WarmReset old = { .shutdown = mc146818_read(CMOS_SHUTDOWN) };

	// Use memcpy, because the vector is not aligned.
	memcpy(old.vector, KADDR(WARM_RESET_VECTOR), sizeof(old.vector));
	mc146818_write(CMOS_SHUTDOWN, warm_reset->shutdown);
	memcpy(KADDR(WARM_RESET_VECTOR), warm_reset->vector, sizeof(old.vector));
	*warm_reset = old;
}

// Send INIT to another CPU. The caller must wait 10 ms (once for all CPUs), and then call
// lapic_startap (section 8.4.4.1; MultiProcessor Specification 1.4, appendix B.4).
void
lapic_startap_init(uint8_t apicid)
{
	icr_send(apicid, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
	udelay(200);
	icr_send(apicid, ICR_INIT | ICR_LEVEL);
}

// Start a CPU at physical address `start`, which must be page-aligned and below 1 MB. The caller
// must have called lapic_startap_init for this CPU at least 10 ms before.
void
lapic_startap(uint8_t apicid, physaddr_t start)
{
	assert(PGOFF(start) == 0 && start < EXTPHYSMEM);
	// Send STARTUP twice, as specified. A CPU that is already running ignores the second one.
	for (int i = 0; i < 2; i++) {
		icr_send(apicid, ICR_STARTUP | start >> PGSHIFT);
		udelay(200);
	}
}
