// The ACPI tables, as far as they name CPUs and say how to switch the machine off: the
// root pointer, in the BIOS's memory, leads to the root table, and that to the others
// (ACPI specification 6.4, sections 5.2.5, 5.2.8, 5.2.9 and 5.2.12). Every length is checked
// before it is used; a table whose checksum is wrong is not believed.

#include <inc/assert.h>
#include <inc/string.h>
#include <inc/x86.h>

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

struct Fadt {
	struct AcpiHeader header; // "FACP"
	uint32_t facs;
	physaddr_t dsdt;
	uint8_t rest[20];
	uint32_t pm1a_control; // I/O ports
	uint32_t pm1b_control;
} __attribute__((packed));

#define PM1_SLEEP_ENABLE  (1 << 13)
#define PM1_SLEEP_TYPE(t) ((t) << 10)
#define AML_PACKAGE       0x12
#define AML_BYTE          0x0A

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

// The first table with that signature that the root table points to, or NULL.
static const struct AcpiHeader *
find_table(const char *signature)
{
	const struct Rsdp *rsdp = find_in_bios("RSD PTR ", sizeof(*rsdp));
	const struct AcpiHeader *rsdt = rsdp ? map_table(rsdp->rsdt, "RSDT") : NULL;

	if (!rsdt)
		return NULL;
	// Mapping another table may move this one: copy what it says first.
	physaddr_t tables[MAX_TABLES];
	size_t n = MIN((rsdt->length - sizeof(*rsdt)) / sizeof(tables[0]), (size_t)MAX_TABLES);
	memcpy(tables, rsdt + 1, n * sizeof(tables[0]));
	for (size_t i = 0; i < n; i++) {
		const struct AcpiHeader *table = map_table(tables[i], signature);
		if (table)
			return table;
	}
	return NULL;
}

// Add the CPUs that the MADT names, and set lapicaddr. False if there is no MADT.
bool
acpi_find_cpus(void)
{
	const struct Madt *madt = (const void *)find_table("APIC");

	if (!madt || madt->header.length < sizeof(*madt))
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

// The value that means "off" in the machine's power control port, from the bytecode
// of an object called _S5_: a package whose first element it is (section 7.4.2). -1
// if there is none. It is searched for as text; to interpret all of the bytecode
// takes more than this whole kernel.
static int
find_sleep_type(const uint8_t *aml, size_t length)
{
	for (size_t i = 0; i + 10 <= length; i++) {
		if (memcmp(aml + i, "_S5_", 4) != 0 || aml[i + 4] != AML_PACKAGE)
			continue;
		// The package's length, in 1 to 4 bytes, and its number of elements.
		const uint8_t *element = aml + i + 6 + (aml[i + 5] >> 6) + 1;
		if (element + 2 > aml + length)
			return -1;
		return (*element == AML_BYTE ? element[1] : *element) & 7;
	}
	return -1;
}

// Switch the machine off. Returns if it does not say how, or does not do it.
void
acpi_power_off(void)
{
	const struct Fadt *fadt = (const void *)find_table("FACP");

	if (!fadt || fadt->header.length < sizeof(*fadt))
		return;
	uint16_t pm1a = fadt->pm1a_control, pm1b = fadt->pm1b_control;
	const struct AcpiHeader *dsdt = map_table(fadt->dsdt, "DSDT");
	int type = dsdt ? find_sleep_type((const uint8_t *)dsdt, dsdt->length) : -1;
	if (type < 0)
		return;
	outw(pm1a, PM1_SLEEP_TYPE(type) | PM1_SLEEP_ENABLE);
	if (pm1b)
		outw(pm1b, PM1_SLEEP_TYPE(type) | PM1_SLEEP_ENABLE);
}
