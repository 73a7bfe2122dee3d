// Read the BIOS's ACPI tables: the table MADT lists the CPUs, and the tables FADT and DSDT say how
// to power off. Section numbers are those of the ACPI specification 6.4. Each table contains the
// physical addresses of the next tables:
//
//	RSDP, in BIOS memory -> RSDT or XSDT, the root table -> MADT "APIC"
//	(section 5.2.5)         (5.2.7, 5.2.8)                  (5.2.12)
//	                                                     -> FADT "FACP" -> DSDT
//	                                                        (5.2.9)
//
// mpconfig.c calls acpi_find_cpus at boot. The monitor's command `shutdown` calls acpi_power_off.

#include <inc/string.h>
#include <inc/x86.h>

#include <kern/dev/bios.h>
#include <kern/cpu.h>

struct Rsdp {
	uint8_t signature[8]; // "RSD PTR "
	uint8_t checksum;     // Makes the sum of the first RSDP_MIN bytes 0
	uint8_t oemid[6];
	uint8_t revision;
	physaddr_t rsdt;
	uint32_t length; // This and the following fields exist from revision 2 on
	physaddr_t xsdt, xsdt_high;
	uint8_t all_checksum;
	uint8_t reserved[3];
} __attribute__((packed));

#define RSDP_MIN offsetof(struct Rsdp, length)

struct AcpiHeader {
	uint8_t signature[4];
	uint32_t length; // Length of the whole table, in bytes
	uint8_t revision;
	uint8_t checksum;
	uint8_t rest[26];
} __attribute__((packed));

// The root table: an array of the other tables' physical addresses. An entry is one 32-bit word in
// an RSDT and two words in an XSDT.
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
	uint8_t type;   // MADT_LAPIC; each MADT entry begins with its type and its length
	uint8_t length; // Length of this entry, in bytes
	uint8_t processor;
	uint8_t apicid;
	uint32_t flags;
} __attribute__((packed));

// A CPU whose APIC id may need more than 8 bits
struct MadtX2apic {
	uint8_t type; // MADT_X2APIC
	uint8_t length;
	uint8_t reserved[2];
	uint32_t apicid;
	uint32_t flags;
	uint32_t processor;
} __attribute__((packed));

#define MADT_LAPIC     0
#define MADT_X2APIC    9
#define MADT_ENABLED   0x1
#define MADT_ENTRY_MIN 2 // Size of the smallest entry (type and length), in bytes

struct Fadt {
	struct AcpiHeader header; // "FACP"
	uint32_t facs;
	physaddr_t dsdt;
	uint8_t rest[20];
	uint32_t pm1a_control; // I/O port for power control
	uint32_t pm1b_control; // Second I/O port; 0 if there is none
} __attribute__((packed));

#define PM1_SLEEP_ENABLE  (1 << 13)
#define PM1_SLEEP_TYPE(t) ((t) << 10)
#define AML_PACKAGE       0x12
#define AML_BYTE          0x0A

#define MAX_TABLES 64

// Return the root table, and set *entry_words to the number of words per entry. Returns NULL if
// there is no valid root table. An old BIOS may have only an RSDT, and a new BIOS may have only an
// XSDT. If both exist, the XSDT is used (section 5.2.7).
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

// Return the first table that the root table lists with this signature and with at least min bytes.
// Return NULL if there is no such table.
static const void *
find_table(const char *signature, size_t min)
{
	size_t step; // Words per entry
	const struct RootTable *root = root_table(&step);

	if (!root)
		return NULL;
	size_t n = (root->header.length - sizeof(*root)) / (step * sizeof(root->words[0]));
	for (size_t i = 0; i < MIN(n, (size_t)MAX_TABLES); i++) {
		if (step == 2 && root->words[2 * i + 1] != 0)
			continue; // The table is above 4 GB, where the kernel cannot map it.
		const void *table = bios_table(root->words[step * i], signature, 4, min);
		if (table)
			return table;
	}
	return NULL;
}

// Add the CPU that a MADT entry of `length` bytes describes. Ignore entries of disabled CPUs and
// entries of other types.
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

// Add the CPUs that the MADT lists to cpus[], and set lapicaddr. Returns false if there is no MADT.
bool
acpi_find_cpus(void)
{
	const struct Madt *madt = find_table("APIC", sizeof(*madt));

	if (!madt)
		return false;
	lapicaddr = madt->lapicaddr;
	const uint8_t *at = (const uint8_t *)(madt + 1);
	size_t left = madt->header.length - sizeof(*madt);
	while (left >= MADT_ENTRY_MIN) {
		size_t length = at[1];
		if (length < MADT_ENTRY_MIN || length > left)
			break;
		add_madt_cpu(at, length);
		at += length;
		left -= length;
	}
	return true;
}

// Return the sleep type for "off". The kernel writes this number to the power control port to power
// the machine off. Return -1 if the number is not found. In the DSDT's bytecode, the number is the
// first element of the package _S5_ (section 7.4.2). This function only searches for the text
// "_S5_", because a full bytecode interpreter would be larger than this kernel.
static int
find_sleep_type(const uint8_t *aml, size_t length)
{
	for (size_t i = 0; i + 10 <= length; i++) {
		if (memcmp(aml + i, "_S5_", 4) != 0 || aml[i + 4] != AML_PACKAGE)
			continue;
		// Skip the package's length (1 to 4 bytes) and its number of elements (1 byte).
		const uint8_t *element = aml + i + 6 + (aml[i + 5] >> 6) + 1;
		if (element + 2 > aml + length)
			return -1;
		return (*element == AML_BYTE ? element[1] : *element) & 7;
	}
	return -1;
}

// Power the machine off. Returns only if this fails: the tables do not say how to power off, or the
// machine does not react.
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
