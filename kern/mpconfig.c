// Finding the machine's CPUs: in ACPI's MADT (acpi.c), which lists every core; without a MADT, in
// the older MP table, where many BIOSes list one CPU per package (MultiProcessor Specification 1.4,
// chapter 4). Without either there is one CPU. The tables are used only if CPUID reports a local
// APIC, because they may list local APICs that do not exist.

#include <inc/stdio.h>
#include <inc/x86.h>

#include <kern/dev/bios.h>
#include <kern/cpu.h>

struct CpuInfo cpus[NCPU] __attribute__((section(".data.cpus")));
int ncpu = 1;
struct CpuInfo *bootcpu = &cpus[0];
physaddr_t lapicaddr;

// On page boundaries, so that mem_init_mp can map each stack apart from the others.
__attribute__((aligned(PGSIZE))) uint8_t percpu_kstacks[NCPU][KSTKSIZE];
__attribute__((aligned(PGSIZE))) uint8_t percpu_dfstacks[NCPU][DFSTKSIZE];

#define LAPIC_DEFAULT    0xFEE00000
#define APIC_BASE_X2APIC (1 << 10) // Of MSR_APIC_BASE
#define LAPIC_ID_MAX     254       // 255 addresses all CPUs

static int nparked;   // CPUs for which cpus[] has no room
static int nlarge_id; // CPUs that an interrupt command cannot address

struct MpPointer {
	uint8_t signature[4]; // "_MP_"
	physaddr_t physaddr;  // Of the configuration table
	uint8_t length;       // In units of 16 bytes: 1
	uint8_t specrev;
	uint8_t checksum; // All bytes add up to 0
	uint8_t type;     // 0, or the number of a configuration without a table
	uint8_t imcrp;    // Bit 7: there is an interrupt mode register
	uint8_t reserved[3];
} __attribute__((packed));

struct MpTable {
	uint8_t signature[4]; // "PCMP"
	uint16_t length;      // Of the whole table, in bytes
	uint8_t version;
	uint8_t checksum;
	uint8_t maker[26];
	uint16_t entries;
	physaddr_t lapicaddr;
	uint8_t extended[4]; // Length and checksum of the part after the entries
} __attribute__((packed));   // It may have any alignment.

struct MpProcessor {
	uint8_t type; // MP_PROCESSOR
	uint8_t apicid;
	uint8_t version;
	uint8_t flags;
	uint8_t rest[16];
};

#define MP_PROCESSOR  0 // An entry of 20 bytes
#define MP_OTHER_SIZE 8 // Bytes in an entry of any other type
#define MP_TYPE_LAST  4
#define MP_ENABLED    0x01
#define MP_IMCR       0x80

// Add the CPU with this APIC id to cpus[], unless it is there: the boot CPU is, as number 0. Ids
// above LAPIC_ID_MAX need the local APIC's x2APIC mode (Intel, volume 3, section 10.12).
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

// Add the CPUs in the table's entries. Returns false at the first entry that is not valid.
static bool
read_mp_entries(const struct MpTable *table)
{
	const uint8_t *at = (const uint8_t *)(table + 1);
	const uint8_t *limit = (const uint8_t *)table + table->length;

	for (int i = 0; i < table->entries; i++) {
		size_t size = MP_OTHER_SIZE;
		if (at < limit && *at == MP_PROCESSOR)
			size = sizeof(struct MpProcessor);
		if ((size_t)(limit - at) < size || *at > MP_TYPE_LAST)
			return false;
		const struct MpProcessor *proc = (const void *)at;
		if (*at == MP_PROCESSOR && (proc->flags & MP_ENABLED))
			mp_add_cpu(proc->apicid);
		at += size;
	}
	return true;
}

static bool
mp_find_cpus(void)
{
	const struct MpPointer *mp = bios_find("_MP_", sizeof(*mp));

	if (!mp)
		return false;
	if (mp->type != 0) {
		// A default configuration: two CPUs, with APIC ids 0 and 1.
		lapicaddr = LAPIC_DEFAULT;
		mp_add_cpu(0);
		mp_add_cpu(1);
	} else {
		const struct MpTable *table = bios_table(mp->physaddr, "PCMP", 2, sizeof(*table));
		if (!table)
			return false;
		lapicaddr = table->lapicaddr;
		if (!read_mp_entries(table))
			cprintf("SMP: the MP table is damaged\n");
	}
	if (mp->imcrp & MP_IMCR) {
		// The 8259s bypass the local APIC: connect them to it.
		outb(0x22, 0x70);
		outb(0x23, inb(0x23) | 1);
	}
	return true;
}

// Whether the firmware has set x2APIC mode, in which the local APIC has no registers in memory
// (Intel, volume 3, section 10.12.2).
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
	// The tables are wrong if the address may be in RAM.
	if (lapicaddr < KERNMAX || PGOFF(lapicaddr) != 0) {
		cprintf("SMP: no local APIC can be at %08x\n", lapicaddr);
		lapicaddr = LAPIC_DEFAULT;
	}
}

// Fill in cpus[], ncpu and lapicaddr. The boot CPU calls it once, after mem_init.
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
