// Finding the machine's CPUs. The kernel first uses ACPI's MADT (dev/acpi.c), which lists every
// core. If there is no MADT, it uses the older MP table (dev/mptable.c), in which many BIOSes list
// only one CPU per package. If there is no table, it uses one CPU. The tables are read only if
// CPUID reports a local APIC, because they may list local APICs that do not exist.

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

#define APIC_BASE_X2APIC (1 << 10) // Bit of MSR_APIC_BASE: x2APIC mode is on
#define LAPIC_ID_MAX     254       // Maximum APIC id; id 255 addresses all CPUs

static int nparked;   // Number of CPUs that do not fit into cpus[]
static int nlarge_id; // Number of CPUs with APIC ids above LAPIC_ID_MAX

// Add the CPU with this APIC id to cpus[], unless it is already there. (The boot CPU is always
// there, as number 0.) If the kernel cannot use the CPU, only count it: if cpus[] is full, or if
// the id is above LAPIC_ID_MAX, which needs x2APIC mode (Intel, volume 3, section 10.12).
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

// Return whether the firmware has turned on x2APIC mode. In this mode, the local APIC's registers
// are not accessible through memory (Intel, volume 3, section 10.12.2).
static __attribute__((noinline)) bool
x2apic_is_on(void)
{
	uint32_t more;

	cpuid(1, NULL, NULL, &more, NULL);
	return (more & CPUID1C_X2APIC) && (rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC);
}

// Find all CPUs, and the physical address of the local APICs' registers.
static void
find_cpus(void)
{
	if (!acpi_find_cpus() && !mp_find_cpus())
		lapicaddr = LAPIC_DEFAULT;
	// The address is wrong if it may be in RAM, or if it is not a multiple of the page size.
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
