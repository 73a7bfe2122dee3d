// Finding the machine's CPUs. ACPI's MADT (dev/acpi.c) lists every core. Without a MADT, the older
// MP table (dev/mptable.c) is used, in which many BIOSes list one CPU per package. Without either
// table there is one CPU. The tables are used only if CPUID reports a local APIC, because they may
// list local APICs that do not exist.

#include <inc/stdio.h>
#include <inc/x86.h>

#include <kern/cpu.h>

struct CpuInfo cpus[NCPU] __attribute__((section(".data.cpus")));
int ncpu = 1;
struct CpuInfo *bootcpu = &cpus[0];
physaddr_t lapicaddr;

// The stacks begin on page boundaries, so that mem_init_mp can map each stack separately.
__attribute__((aligned(PGSIZE))) uint8_t percpu_kstacks[NCPU][KSTKSIZE];
__attribute__((aligned(PGSIZE))) uint8_t percpu_dfstacks[NCPU][DFSTKSIZE];

#define APIC_BASE_X2APIC (1 << 10) // A bit of MSR_APIC_BASE
#define LAPIC_ID_MAX     254       // Id 255 means all CPUs

static int nparked;   // CPUs for which cpus[] has no room
static int nlarge_id; // CPUs that an interrupt command cannot address

// Add the CPU with this APIC id to cpus[], unless the CPU is already there. (The boot CPU is there
// from the start, as number 0.) If the CPU cannot be used, it is only counted: cpus[] may be full,
// or the id may be above LAPIC_ID_MAX, which needs the local APIC's x2APIC mode (Intel, volume 3,
// section 10.12).
void
mp_add_cpu(uint32_t apicid)
{
	if (apicid > LAPIC_ID_MAX) {
		nlarge_id++;
		return;
	}
	for (int i = 0; i < ncpu; i++) {
		if (cpus[i].cpu_apicid == apicid)
			return;
	}
	if (ncpu == NCPU) {
		nparked++;
		return;
	}
	cpus[ncpu].cpu_id = ncpu;
	cpus[ncpu].cpu_apicid = apicid;
	ncpu++;
}

// Return whether the firmware has set x2APIC mode, in which the local APIC has no registers in
// memory (Intel, volume 3, section 10.12.2).
static __attribute__((noinline)) bool
x2apic_is_on(void)
{
	uint32_t more;

	cpuid(1, NULL, NULL, &more, NULL);
	return (more & CPUID1C_X2APIC) && (rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC);
}

// Find all CPUs, and the address of their local APICs' registers.
static void
find_cpus(void)
{
	if (!acpi_find_cpus() && !mp_find_cpus())
		lapicaddr = LAPIC_DEFAULT;
	// The tables are wrong if this address may be in RAM.
	if (lapicaddr < KERNMAX || PGOFF(lapicaddr) != 0) {
		cprintf("SMP: no local APIC can be at %08x\n", lapicaddr);
		lapicaddr = LAPIC_DEFAULT;
	}
}

// Fill in cpus[], ncpu and lapicaddr. The boot CPU calls mp_init once, after mem_init.
void
mp_init(void)
{
	uint32_t id, features;

	cpuid(1, NULL, &id, NULL, &features);
	if (features & CPUID_APIC) {
		bootcpu->cpu_apicid = id >> 24;
		if (x2apic_is_on())
			cprintf("SMP: the firmware has set x2APIC mode, which is not supported\n");
		else
			find_cpus();
	}
	cprintf("SMP: CPU %d found %d CPU(s)\n", cpunum(), ncpu);
	if (nparked > 0)
		cprintf("SMP: %d more than the %d that this kernel can use stay parked\n", nparked,
		    NCPU);
	if (nlarge_id > 0)
		cprintf(
		    "SMP: %d more with APIC ids above %d stay parked\n", nlarge_id, LAPIC_ID_MAX);
}
