// Find and check tables that the BIOS left in memory. The callers are acpi.c (ACPI tables) and
// mptable.c (MP tables). This code needs no lock, because only one CPU runs it: at boot, and when
// the monitor powers off. Every length is checked before it is used, and a table with a wrong
// checksum is ignored.

#include <inc/assert.h>
#include <inc/string.h>

#include <kern/dev/bios.h>
#include <kern/dev/multiboot.h>
#include <kern/pmap.h>

#define MAX_TABLE (64 * 1024) // Maximum bytes of a table: no table that the kernel uses is larger

bool
bios_sum_ok(const void *table, size_t length)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += ((const uint8_t *)table)[i];
	return sum == 0;
}

const void *
bios_find(const char *signature, size_t length)
{
	// The BIOS keeps the segment of its extended data area (EBDA) at 0x40E, and the size of
	// base memory in KB at 0x413. The structures that are searched for begin at multiples of
	// 16.
	uint16_t ebda_segment, base_kb; // Read by memcpy, since 0x413 is not aligned
	memcpy(&ebda_segment, KADDR(0x40E), sizeof(ebda_segment));
	memcpy(&base_kb, KADDR(0x413), sizeof(base_kb));
	physaddr_t ebda = ebda_segment << 4, base = base_kb * 1024;
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
			    bios_sum_ok(KADDR(pa), length))
				return KADDR(pa);
		}
	}
	return NULL;
}

// Return a pointer to `size` bytes at physical address pa; NULL if pa or size is not valid. Most
// tables are near the top of RAM, above the memory that the kernel maps. Such a table is mapped
// like device registers. The function keeps the last mapping, so that tables that are near each
// other share a mapping.
static const void *
bios_map(physaddr_t pa, size_t size)
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

const void *
bios_table(physaddr_t pa, const char *signature, int length_size, size_t min)
{
	const uint8_t *header = bios_map(pa, 8);

	if (!header || memcmp(header, signature, 4) != 0)
		return NULL;
	uint32_t length = 0;
	memcpy(&length, header + 4, length_size);
	const void *table = length >= min ? bios_map(pa, length) : NULL;
	return table && bios_sum_ok(table, length) ? table : NULL;
}
