// The MP table, in which the BIOS lists the CPUs (MultiProcessor Specification 1.4, chapter 4).
// mpconfig.c calls mp_find_cpus if there is no ACPI table of CPUs.

#include <inc/stdio.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/dev/bios.h>

struct MpPointer {
	uint8_t signature[4]; // "_MP_"
	physaddr_t physaddr;  // Address of the configuration table
	uint8_t length;       // Length of this structure in units of 16 bytes: 1
	uint8_t specrev;
	uint8_t checksum; // Makes the sum of all bytes 0
	uint8_t type;     // 0 if there is a table; otherwise the number of a default configuration
	uint8_t imcrp;    // Bit 7: there is an interrupt mode configuration register (IMCR)
	uint8_t reserved[3];
} __attribute__((packed));

// The configuration table, which may have any alignment
struct MpTable {
	uint8_t signature[4]; // "PCMP"
	uint16_t length;      // Length of the whole table, in bytes
	uint8_t version;
	uint8_t checksum;
	uint8_t maker[26];
	uint16_t entries;
	physaddr_t lapicaddr;
	uint8_t extended[4]; // Length and checksum of the extended entries after the table
} __attribute__((packed));

struct MpProcessor {
	uint8_t type; // MP_PROCESSOR
	uint8_t apicid;
	uint8_t version;
	uint8_t flags;
	uint8_t rest[16];
};

#define MP_PROCESSOR  0 // Type of a CPU entry, whose size is 20 bytes
#define MP_OTHER_SIZE 8 // Size of an entry of any other type, in bytes
#define MP_TYPE_LAST  4
#define MP_ENABLED    0x01
#define MP_IMCR       0x80

// Add the CPUs that the table's entries describe. If an entry is not valid, stop and return false.
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

// Add the CPUs of the MP table to cpus[], and set lapicaddr. Returns false if there is no table.
bool
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
		// So far, the interrupts of the 8259s bypass the local APIC. Set bit 0 of the IMCR,
		// so that the interrupts go through the local APIC.
		outb(0x22, 0x70);
		outb(0x23, inb(0x23) | 1);
	}
	return true;
}
