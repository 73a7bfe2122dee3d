// Finding the CPUs of the machine. CPUID is asked first, since a table may speak of
// local APICs that the CPU does not have; then ACPI's (acpi.c), which knows every
// core; then the older MP table, in which many a BIOS lists one CPU a package
// (MultiProcessor Specification, version 1.4, chapter 4). Else there is one CPU.

#include <inc/assert.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/multiboot.h>
#include <kern/pmap.h>

struct CpuInfo cpus[NCPU] = { [0 ... NCPU - 1] = { .cpu_last = NENV - 1 } };
int ncpu = 1;
struct CpuInfo *bootcpu = &cpus[0];
physaddr_t lapicaddr;

// In a page of its own each, so that mem_init_mp can map them apart.
__attribute__((aligned(PGSIZE))) uint8_t percpu_kstacks[NCPU][KSTKSIZE];

#define LAPIC_DEFAULT 0xFEE00000

static int nparked; // CPUs that cpus[] has no room for.

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
	uint16_t length;      // Of all of it
	uint8_t version;
	uint8_t checksum;
	uint8_t product[20];
	physaddr_t oemtable;
	uint16_t oemlength;
	uint16_t entries;
	physaddr_t lapicaddr;
	uint16_t xlength;
	uint8_t xchecksum;
	uint8_t reserved;
} __attribute__((packed));

struct MpProcessor {
	uint8_t type; // MP_PROCESSOR
	uint8_t apicid;
	uint8_t version;
	uint8_t flags;
	uint8_t rest[16];
};

#define MP_PROCESSOR  0 // 20 bytes; the entries of the other types are
#define MP_OTHER_SIZE 8
#define MP_TYPE_LAST  4
#define MP_ENABLED    0x01
#define MP_IMCR       0x80

// Whether the bytes of a table add up to 0.
bool
checksum_ok(const void *table, size_t length)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += ((const uint8_t *)table)[i];
	return sum == 0;
}

// A word of the BIOS's, which need not be aligned.
static uint16_t
bios_word(physaddr_t pa)
{
	uint16_t word;

	memcpy(&word, KADDR(pa), sizeof(word));
	return word;
}

// Where a structure of length bytes with a signature and a right checksum stands in
// the places where a BIOS may put one, or NULL: the extended data area, the end of
// base memory, and the BIOS itself, always at a multiple of 16.
const void *
find_in_bios(const char *signature, size_t length)
{
	// The BIOS keeps the segment of its extended data area at 0x40E, and the size
	// of base memory, in KB, at 0x413.
	physaddr_t ebda = bios_word(0x40E) << 4;
	physaddr_t base = bios_word(0x413) * 1024;
	const struct MemRange areas[] = {
		{ .start = ebda, .end = ebda + 1024 },
		{ .start = base - 1024, .end = base },
		{ .start = 0xE0000, .end = EXTPHYSMEM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
		if (areas[i].start < PGSIZE || areas[i].end > EXTPHYSMEM)
			continue;
		for (physaddr_t pa = areas[i].start; pa + length <= areas[i].end; pa += 16) {
			if (memcmp(KADDR(pa), signature, strlen(signature)) == 0 &&
			    checksum_ok(KADDR(pa), length))
				return KADDR(pa);
		}
	}
	return NULL;
}

// There is a CPU with this APIC id. The one we are on is number 0 and known already.
void
mp_add_cpu(uint8_t apicid)
{
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

// Add the CPUs that the table's entries name. False if they do not make sense: what
// came before the mistake is kept.
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
	const struct MpPointer *mp = find_in_bios("_MP_", sizeof(*mp));

	if (!mp)
		return false;
	if (mp->type != 0) {
		// One of the default configurations: all have two CPUs, numbers 0 and 1.
		lapicaddr = LAPIC_DEFAULT;
		mp_add_cpu(0);
		mp_add_cpu(1);
	} else {
		const struct MpTable *table = acpi_map(mp->physaddr, sizeof(*table));
		if (!table || memcmp(table->signature, "PCMP", 4) != 0 ||
		    table->length < sizeof(*table))
			return false;
		table = acpi_map(mp->physaddr, table->length);
		if (!table || !checksum_ok(table, table->length))
			return false;
		lapicaddr = table->lapicaddr;
		if (!read_mp_entries(table))
			cprintf("SMP: the MP table is damaged\n");
	}
	if (mp->imcrp & MP_IMCR) {
		// The 8259s are wired around the local APIC: connect them to it.
		outb(0x22, 0x70);
		outb(0x23, inb(0x23) | 1);
	}
	return true;
}

// Fill in cpus[], ncpu and lapicaddr. The boot CPU calls it, once, after mem_init.
void
mp_init(void)
{
	uint32_t id, features;

	cpuid(1, NULL, &id, NULL, &features);
	if (features & CPUID_APIC) {
		bootcpu->cpu_apicid = id >> 24;
		if (!acpi_find_cpus() && !mp_find_cpus())
			lapicaddr = LAPIC_DEFAULT;
		// Where there is RAM, the tables cannot be right.
		if (lapicaddr < KERNMAX || PGOFF(lapicaddr) != 0) {
			cprintf("SMP: no local APIC can be at %08x\n", lapicaddr);
			lapicaddr = LAPIC_DEFAULT;
		}
	}
	cprintf("SMP: CPU %d found %d CPU(s)\n", cpunum(), ncpu);
	if (nparked > 0)
		cprintf("SMP: %d more than the %d that this kernel can use stay parked\n", nparked,
		    NCPU);
}
