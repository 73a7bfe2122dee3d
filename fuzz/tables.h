#ifndef JOS_FUZZ_TABLES_H
#define JOS_FUZZ_TABLES_H

// Part of firmware.c: finds the tables in memory a second time, in a simple way, byte by byte with
// peek(). The kernel uses one table of each kind; this code notes all tables. The kernel must find
// only CPUs and ports that are noted here.

struct Found {
	bool cpus[256];     // Indexed by APIC id
	int tables;         // Number of tables
	bool mistakes;      // A table is invalid, or there are more than the kernel must read
	uint32_t lapicaddr; // From the last table
};

static struct Found acpi, mp;
static bool has_dsdt;
static uint32_t pm1_ports[512]; // The I/O ports in all FADTs
static int npm1_ports;

static void
note_madt(physaddr_t pa)
{
	uint32_t length = peek(pa + 4, 4), at = 44;

	acpi.tables++;
	acpi.lapicaddr = peek(pa + 36, 4);
	for (; at + 2 <= length; at += peek(pa + at + 1, 1)) {
		uint32_t type = peek(pa + at, 1), size = peek(pa + at + 1, 1);
		if (size < 2 || at + size > length)
			break;
		uint32_t id = UINT32_MAX;
		if (type == 0 && size >= 8 && (peek(pa + at + 4, 4) & 1))
			id = peek(pa + at + 3, 1);
		if (type == 9 && size >= 16 && (peek(pa + at + 8, 4) & 1))
			id = peek(pa + at + 4, 4);
		if (id < 255)
			acpi.cpus[id] = true;
	}
	acpi.mistakes |= length < 44 || at != length;
}

static bool
is_table(physaddr_t pa, const char *signature)
{
	uint32_t length = peek(pa + 4, 4);

	return pa != 0 && is_at(pa, signature) && length >= 36 && length <= 0x10000 &&
	       length - 1 <= UINT32_MAX - pa && sum(pa, length) == 0;
}

// The root table at pa, with entries of `step` bytes: 4 in an RSDT, 8 in an XSDT.
static void
note_root(physaddr_t pa, uint32_t step)
{
	uint32_t length = peek(pa + 4, 4);

	acpi.mistakes |= length > 36 + step * 64;
	for (uint32_t at = 36; at + step <= length && at < 36 + step * 256; at += step) {
		physaddr_t table = peek(pa + at, 4);
		if (step == 8 && peek(pa + at + 4, 4) != 0)
			continue;
		if (is_table(table, "APIC"))
			note_madt(table);
		if (is_table(table, "FACP") && npm1_ports + 2 <= (int)ARRAY_SIZE(pm1_ports)) {
			has_dsdt |= is_table(peek(table + 40, 4), "DSDT");
			pm1_ports[npm1_ports++] = peek(table + 64, 2);
			pm1_ports[npm1_ports++] = peek(table + 68, 2);
		}
	}
}

static void
note_mp_table(physaddr_t pa)
{
	uint32_t length = peek(pa + 4, 2), entries = peek(pa + 34, 2), at = 44;

	if (pa == 0 || !is_at(pa, "PCMP") || length < 44 || length - 1 > UINT32_MAX - pa ||
	    sum(pa, length) != 0) {
		mp.mistakes = true;
		return;
	}
	mp.tables++;
	mp.lapicaddr = peek(pa + 36, 4);
	for (; entries > 0 && at < length; entries--) {
		uint32_t type = peek(pa + at, 1), size = type == 0 ? 20 : 8;
		if (type > 4 || at + size > length)
			break;
		if (type == 0 && (peek(pa + at + 3, 1) & 1) && peek(pa + at + 1, 1) < 255)
			mp.cpus[peek(pa + at + 1, 1)] = true;
		at += size;
	}
	mp.mistakes |= entries > 0;
}

static int nrsdps, npointers;

static void
note_pointer(physaddr_t pa)
{
	if (is_at(pa, "RSD PTR ") && sum(pa, 20) == 0) {
		bool later = peek(pa + 15, 1) >= 2 && sum(pa, 36) == 0 && peek(pa + 28, 4) == 0;
		nrsdps++;
		if (later && is_table(peek(pa + 24, 4), "XSDT"))
			note_root(peek(pa + 24, 4), 8);
		else if (is_table(peek(pa + 16, 4), "RSDT"))
			note_root(peek(pa + 16, 4), 4);
		else
			acpi.mistakes = true;
	}
	if (!is_at(pa, "_MP_") || sum(pa, 16) != 0)
		return;
	npointers++;
	if (peek(pa + 11, 1) == 0) {
		note_mp_table(peek(pa + 4, 4));
	} else {
		mp.tables++;
		mp.cpus[0] = mp.cpus[1] = true;
		mp.lapicaddr = LAPIC_DEFAULT;
	}
}

// Search all pieces for root pointers, also at addresses where a BIOS must not put them. Several
// roots count as a mistake, because the kernel may search in any order. A root at an address that
// the kernel need not search is a mistake too.
static void
note_all_tables(void)
{
	memset(&acpi, 0, sizeof(acpi));
	memset(&mp, 0, sizeof(mp));
	has_dsdt = false;
	npm1_ports = nrsdps = npointers = 0;
	for (int i = 0; i < npieces; i++) {
		physaddr_t pa = ROUNDUP(pieces[i].pa, 16);
		for (; pa < pieces[i].pa + pieces[i].length && pa < EXTPHYSMEM; pa += 16)
			note_pointer(pa);
		if (pieces[i].pa < 0xE0000)
			acpi.mistakes = mp.mistakes = true;
	}
	acpi.mistakes |= nrsdps > 1 || acpi.tables > 1;
	mp.mistakes |= npointers > 1;
}

#endif // JOS_FUZZ_TABLES_H
