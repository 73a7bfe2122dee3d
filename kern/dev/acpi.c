// The ACPI tables, as far as they name CPUs and say how to switch the machine off: the
// root pointer, in the BIOS's memory, leads to the root table, and that to the others
// (ACPI specification 6.4, sections 5.2.5, 5.2.7 to 5.2.9 and 5.2.12).

#include <inc/string.h>
#include <inc/x86.h>

#include <kern/dev/bios.h>
#include <kern/cpu.h>

struct Rsdp {
	uint8_t signature[8]; // "RSD PTR "
	uint8_t checksum;     // Of the first RSDP_MIN bytes
	uint8_t oemid[6];
	uint8_t revision;
	physaddr_t rsdt;
	uint32_t length;      // From revision 2 on: of all of this
	physaddr_t xsdt, xsdt_high;
	uint8_t all_checksum;
	uint8_t reserved[3];
} __attribute__((packed));

#define RSDP_MIN offsetof(struct Rsdp, length)

struct AcpiHeader {
	uint8_t signature[4];
	uint32_t length; // Of the whole table
	uint8_t revision;
	uint8_t checksum;
	uint8_t rest[26];
} __attribute__((packed));

// The root table: the addresses of the others, a word each in an RSDT, two words in an XSDT.
struct RootTable {
	struct AcpiHeader header;
	physaddr_t words[];
} __attribute__((packed));

struct Madt {
	struct AcpiHeader header; // "APIC"
	physaddr_t lapicaddr;
	uint32_t flags;
} __attribute__((packed));

struct MadtLapic {
	uint8_t type;   // MADT_LAPIC. The other types, too, begin with their type
	uint8_t length; // and length.
	uint8_t processor;
	uint8_t apicid;
	uint32_t flags;
} __attribute__((packed));

// A CPU that may have a larger id.
struct MadtX2apic {
	uint8_t type; // MADT_X2APIC
	uint8_t length;
	uint8_t reserved[2];
	uint32_t apicid;
	uint32_t flags;
	uint32_t processor;
} __attribute__((packed));

#define MADT_LAPIC   0
#define MADT_X2APIC  9
#define MADT_ENABLED 0x1
#define MADT_MIN     2 // The least that an entry has

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

#define MAX_TABLES 64

// The root table, or NULL, and how many words an entry of it has. A BIOS of 32 bits may have
// only an RSDT, a later one only an XSDT; of two the XSDT counts (section 5.2.7).
static const struct RootTable *
root_table(size_t *entry_words)
{
	const struct Rsdp *rsdp = bios_find("RSD PTR ", RSDP_MIN);
	const struct RootTable *xsdt = NULL;

	if (!rsdp)
		return NULL;
	if (rsdp->revision >= 2 && rsdp->xsdt_high == 0 && bios_sum_ok(rsdp, sizeof(*rsdp)))
		xsdt = bios_table(rsdp->xsdt, "XSDT", 4, sizeof(*xsdt));
	*entry_words = xsdt ? 2 : 1;
	return xsdt ? xsdt : bios_table(rsdp->rsdt, "RSDT", 4, sizeof(*xsdt));
}

// The first table with that signature that the root table points to, or NULL. It is at
// least min bytes long.
static const void *
find_table(const char *signature, size_t min)
{
	size_t step;
	const struct RootTable *root = root_table(&step);

	if (!root)
		return NULL;
	size_t n = (root->header.length - sizeof(*root)) / (step * sizeof(root->words[0]));
	for (size_t i = 0; i < MIN(n, (size_t)MAX_TABLES); i++) {
		if (step == 2 && root->words[2 * i + 1] != 0)
			continue; // Above 4 GB
		const void *table = bios_table(root->words[step * i], signature, 4, min);
		if (table)
			return table;
	}
	return NULL;
}

// Add the CPU of a MADT entry of length bytes, if that is what the entry is.
static void
add_madt_cpu(const void *entry, size_t length)
{
	const struct MadtLapic *lapic = entry;
	const struct MadtX2apic *x2apic = entry;

	if (lapic->type == MADT_LAPIC && length >= sizeof(*lapic) && (lapic->flags & MADT_ENABLED))
		mp_add_cpu(lapic->apicid);
	if (x2apic->type == MADT_X2APIC && length >= sizeof(*x2apic) &&
	    (x2apic->flags & MADT_ENABLED))
		mp_add_cpu(x2apic->apicid);
}

// Add the CPUs that the MADT names, and set lapicaddr. False if there is no MADT.
bool
acpi_find_cpus(void)
{
	const struct Madt *madt = find_table("APIC", sizeof(*madt));

	if (!madt)
		return false;
	lapicaddr = madt->lapicaddr;
	const uint8_t *at = (const uint8_t *)(madt + 1);
	size_t left = madt->header.length - sizeof(*madt);
	while (left >= MADT_MIN) {
		size_t length = at[1];
		if (length < MADT_MIN || length > left)
			break;
		add_madt_cpu(at, length);
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
	const struct Fadt *fadt = find_table("FACP", sizeof(*fadt));

	if (!fadt)
		return;
	const struct AcpiHeader *dsdt = bios_table(fadt->dsdt, "DSDT", 4, sizeof(*dsdt));
	int type = dsdt ? find_sleep_type((const uint8_t *)dsdt, dsdt->length) : -1;
	if (type < 0)
		return;
	outw(fadt->pm1a_control, PM1_SLEEP_TYPE(type) | PM1_SLEEP_ENABLE);
	if (fadt->pm1b_control)
		outw(fadt->pm1b_control, PM1_SLEEP_TYPE(type) | PM1_SLEEP_ENABLE);
}
