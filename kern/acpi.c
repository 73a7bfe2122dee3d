// The ACPI tables, as far as they name CPUs: the root pointer, in the BIOS's memory,
// leads to the root table, and that to the multiple APIC description table (ACPI
// specification 6.4, sections 5.2.5, 5.2.8 and 5.2.12). Every length is checked
// before it is used; a table whose checksum is wrong is not believed.

#include <inc/assert.h>
#include <inc/string.h>

#include <kern/cpu.h>
#include <kern/pmap.h>

struct Rsdp {
	uint8_t signature[8]; // "RSD PTR "
	uint8_t checksum;     // Of these 20 bytes
	uint8_t oemid[6];
	uint8_t revision;
	physaddr_t rsdt;
} __attribute__((packed));

struct AcpiHeader {
	uint8_t signature[4];
	uint32_t length; // Of the whole table
	uint8_t revision;
	uint8_t checksum;
	uint8_t rest[26];
} __attribute__((packed));

struct Madt {
	struct AcpiHeader header; // "APIC"
	physaddr_t lapicaddr;
	uint32_t flags;
} __attribute__((packed));

struct MadtEntry {
	uint8_t type;
	uint8_t length;
} __attribute__((packed));

struct MadtLapic {
	struct MadtEntry entry; // MADT_LAPIC
	uint8_t processor;
	uint8_t apicid;
	uint32_t flags;
} __attribute__((packed));

#define MADT_LAPIC   0
#define MADT_ENABLED 0x1

#define MAX_TABLE  (64 * 1024) // No table that we want is larger.
#define MAX_TABLES 64

// size bytes of the BIOS's at pa, wherever that is, or NULL if that makes no sense.
// Tables stand near the top of memory, mostly beyond what the kernel maps: then it
// maps them as if they were a device. What it maps, it remembers, so that the many
// tables of one region cost little.
const void *
acpi_map(physaddr_t pa, size_t size)
{
	static physaddr_t mapped_pa;
	static size_t mapped_size;
	static uint8_t *mapped_va;

	if (pa == 0 || size > MAX_TABLE || size - 1 > ~pa)
		return NULL;
	if (pa < KERNMAX && size <= KERNMAX - pa)
		return KADDR(pa);
	if (pa < mapped_pa || pa - mapped_pa > mapped_size ||
	    size > mapped_size - (pa - mapped_pa)) {
		mapped_pa = ROUNDDOWN(pa, PGSIZE);
		mapped_size = ROUNDUP(pa - mapped_pa + size, PGSIZE);
		mapped_va = mmio_map_region(mapped_pa, mapped_size);
	}
	return mapped_va + (pa - mapped_pa);
}

// The table at pa, whole and with the right checksum, if it has that signature.
static const struct AcpiHeader *
map_table(physaddr_t pa, const char *signature)
{
	const struct AcpiHeader *header = acpi_map(pa, sizeof(*header));

	if (!header || memcmp(header->signature, signature, 4) != 0)
		return NULL;
	uint32_t length = header->length;
	if (length < sizeof(*header) || !(header = acpi_map(pa, length)))
		return NULL;
	return checksum_ok(header, length) ? header : NULL;
}

static const struct Rsdp *
find_rsdp(void)
{
	physaddr_t ebda = *(uint16_t *)KADDR(0x40E) << 4;
	const void *rsdp = NULL;

	if (ebda >= PGSIZE && ebda < EXTPHYSMEM - 1024)
		rsdp = find_signature("RSD PTR ", 8, KADDR(ebda), 1024, 16, sizeof(struct Rsdp));
	if (!rsdp)
		rsdp = find_signature("RSD PTR ", 8, KADDR(0xE0000), 0x20000, 16,
		    sizeof(struct Rsdp));
	return rsdp;
}

static const struct Madt *
find_madt(void)
{
	const struct Rsdp *rsdp = find_rsdp();
	const struct AcpiHeader *rsdt = rsdp ? map_table(rsdp->rsdt, "RSDT") : NULL;

	if (!rsdt)
		return NULL;
	// Mapping another table may move this one: copy what it says first.
	physaddr_t tables[MAX_TABLES];
	size_t n = MIN((rsdt->length - sizeof(*rsdt)) / sizeof(tables[0]), (size_t)MAX_TABLES);
	memcpy(tables, rsdt + 1, n * sizeof(tables[0]));
	for (size_t i = 0; i < n; i++) {
		const struct AcpiHeader *table = map_table(tables[i], "APIC");
		if (table && table->length >= sizeof(struct Madt))
			return (const struct Madt *)table;
	}
	return NULL;
}

// Add the CPUs that the MADT names, and set lapicaddr. False if there is no MADT.
bool
acpi_find_cpus(void)
{
	const struct Madt *madt = find_madt();

	if (!madt)
		return false;
	lapicaddr = madt->lapicaddr;
	const uint8_t *at = (const uint8_t *)(madt + 1);
	size_t left = madt->header.length - sizeof(*madt);
	while (left >= sizeof(struct MadtEntry)) {
		const struct MadtLapic *lapic = (const void *)at;
		size_t length = lapic->entry.length;
		if (length < sizeof(struct MadtEntry) || length > left)
			break;
		if (lapic->entry.type == MADT_LAPIC && length >= sizeof(*lapic) &&
		    (lapic->flags & MADT_ENABLED))
			mp_add_cpu(lapic->apicid);
		at += length;
		left -= length;
	}
	return true;
}
