// Fuzz target for kern/dev/bios.c, acpi.c, mptable.c and kern/mpconfig.c: tables that a BIOS left
// in memory.
//
// The input: a byte, the boot CPU's APIC id; a byte that selects from high_places[]; then pieces of
// memory, up to the end:
//
//	kind	a byte: raw bytes, or a kind of table, whose checksum is then made valid (not if
//		bit 7 is set)
//	place	a byte that selects from places[]
//	offset	from that place, 16 bits
//	length	16 bits, and then that many bytes
//
// The CPUs that the kernel finds are compared with all valid tables in memory (tables.h): the
// kernel must not use a table whose checksum is wrong. If each kind of table exists once and has
// no mistake, the kernel must find all of its CPUs. Above KERNMAX, the kernel can read a table only
// in pages that it mapped with mmio_map_region; AddressSanitizer reports any other access.

#include <fuzz/kernel.h>

#include <inc/string.h>

// The kernel searches the whole BIOS area several times for each input. This is slow if every
// comparison is a call of AddressSanitizer's memcmp, so compare the first byte inline.
static int
fast_memcmp(const void *a, const void *b, size_t len)
{
	if (len > 0 && *(const char *)a != *(const char *)b)
		return 1;
	return memcmp(a, b, len);
}
#define memcmp fast_memcmp

#include <kern/dev/bios.c>
#include <kern/dev/acpi.c>
#include <kern/dev/mptable.c>
#include <kern/mpconfig.c>

#define BDA       0x400 // The BIOS data area, which has the address of the extended data area
#define HIGH_SIZE 0x20000
#define TABLE_MAX 0x11000 // Larger than any table plus its offset in its first page
#define ZEROES    0x80000 // Offset in HOST_EXTRA: zeros, for addresses without memory
#define DUMMY     0x90000 // Offset in HOST_EXTRA of the table at DUMMY_PA: see reset_mapping
#define DUMMY_PA  0xE0000000
#define MMIO_SIZE (MMIOLIM - MMIOBASE)

// Where the high memory may be: at the end of what the kernel always maps, in the middle, and at
// the end of all physical addresses.
static const physaddr_t high_places[] = { KERNMAX, 0x7FFE0000, 0xFFFE0000 };
static physaddr_t high; // The address that this input selects

static const physaddr_t places[] = {
	BDA,
	0x9FC00, // The usual address of the extended data area
	0xE0000,
	0xFFF00,
	0x200000,
	KERNMAX - 0x400,
	0, // This place and the next are offsets in the high memory.
	HIGH_SIZE - 0x400,
};
#define LOW_PLACES (ARRAY_SIZE(places) - 2)

// ---- Memory ----

// Return the host address of the byte at physical address pa. Above KERNMAX, only the high memory
// has contents; all other addresses read as zeros.
static uint8_t *
memory_at(physaddr_t pa)
{
	uint8_t *extra = (uint8_t *)KERNBASE + KERNMAX;

	if (pa < KERNMAX)
		return KADDR(pa);
	if (pa - DUMMY_PA < PGSIZE)
		return extra + DUMMY + (pa - DUMMY_PA);
	if (high == KERNMAX && pa - high < HIGH_SIZE + TABLE_MAX)
		return extra + (pa - high);
	if (high != KERNMAX && pa - (high - TABLE_MAX) < HIGH_SIZE + 2 * TABLE_MAX)
		return extra + (pa - (high - TABLE_MAX));
	return extra + ZEROES;
}

static size_t mapped; // Bytes mapped by mmio_map_region during this input

void *
mmio_map_region(physaddr_t pa, size_t size)
{
	size = ROUNDUP(PGOFF(pa) + size, PGSIZE);
	mapped += size;
	must(size <= TABLE_MAX && mapped <= MMIO_SIZE && size - 1 <= ~PTE_ADDR(pa));
	uint8_t *at = memory_at(PTE_ADDR(pa));
	__asan_unpoison_memory_region(at, size);
	return at + PGOFF(pa);
}

static uint32_t
peek(physaddr_t pa, int size)
{
	uint32_t value = 0;

	for (int i = 0; i < size; i++)
		value |= (uint32_t)*memory_at(pa + i) << 8 * i;
	return value;
}

static bool
is_at(physaddr_t pa, const char *text)
{
	for (; *text; text++, pa++) {
		if (peek(pa, 1) != (uint8_t)*text)
			return false;
	}
	return true;
}

static uint8_t
sum(physaddr_t pa, uint32_t length)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum += peek(pa + i, 1);
	return sum;
}

// ---- The firmware ----

enum { RAW, RSDP, ACPI_TABLE, MP_POINTER, MP_TABLE, NKINDS };

static struct {
	physaddr_t pa;
	uint32_t length;
} pieces[64];
static int npieces;

// Make the checksum of the table at pa valid, for the length that the table itself gives.
static void
fix_checksum(physaddr_t pa, uint8_t kind)
{
	static const struct {
		uint8_t checksum, length, length_at, length_size;
	} kinds[NKINDS] = {
		[RSDP] = { 8, 20, 0, 0 },
		[ACPI_TABLE] = { 9, 0, 4, 4 },
		[MP_POINTER] = { 10, 16, 0, 0 },
		[MP_TABLE] = { 7, 0, 4, 2 },
	};
	uint32_t length = kinds[kind].length;

	if (length == 0)
		length = peek(pa + kinds[kind].length_at, kinds[kind].length_size);
	if (length <= 0x10000)
		*memory_at(pa + kinds[kind].checksum) -= sum(pa, length);
	if (kind == RSDP && peek(pa + 15, 1) >= 2)
		*memory_at(pa + 32) -= sum(pa, 36); // Revision 2 has a second checksum.
}

static void
write_piece(struct Input *in)
{
	uint8_t kind = take_byte(in), place = take_byte(in) % ARRAY_SIZE(places);
	uint32_t offset = take_half(in), length = take_half(in);
	physaddr_t pa = places[place] + offset;

	// Stay inside the memory, so that clear_pieces can clear the piece.
	length = MIN(length, in->left);
	if (place >= LOW_PLACES)
		pa = high + (places[place] + offset) % HIGH_SIZE;
	if (place >= LOW_PLACES)
		length = MIN(length, high + HIGH_SIZE - 1 - pa + 1);
	else
		length = MIN(length, KERNMAX - pa);
	memcpy(memory_at(pa), in->at, length);
	in->at += length;
	in->left -= length;
	if (!(kind & 0x80) && kind % NKINDS != RAW && length >= 16)
		fix_checksum(pa, kind % NKINDS);
	pieces[npieces].pa = pa;
	pieces[npieces++].length = length + 16;
}

static void
clear_pieces(void)
{
	while (npieces > 0) {
		npieces--;
		physaddr_t pa = pieces[npieces].pa;
		uint32_t length = pieces[npieces].length;
		if (pa < KERNMAX)
			length = MIN(length, KERNMAX - pa);
		memset(memory_at(pa), 0, length);
	}
}

// ---- The CPU ----

static uint8_t boot_apicid;

uint8_t
inb(uint16_t port)
{
	return 0;
}

void
outb(uint16_t port, uint8_t data)
{
}

void
cpuid(uint32_t leaf, uint32_t *eaxp, uint32_t *ebxp, uint32_t *ecxp, uint32_t *edxp)
{
	if (ebxp)
		*ebxp = (uint32_t)boot_apicid << 24;
	if (ecxp)
		*ecxp = 0;
	if (edxp)
		*edxp = CPUID_APIC;
}

#include <fuzz/tables.h>

// ---- The kernel ----

void
outw(uint16_t port, uint16_t data)
{
	must(has_dsdt && (data & ~PM1_SLEEP_TYPE(7)) == PM1_SLEEP_ENABLE);
	for (int i = 0; i < npm1_ports; i++) {
		if (pm1_ports[i] == port)
			return;
	}
	must(!"a port that a FADT names");
}

// Start an input with no high memory mapped. bios_map keeps its last mapping, so make the kernel
// map a dummy root table, whose memory is never poisoned.
static void
reset_mapping(void)
{
	static const struct {
		physaddr_t pa;
		const char *bytes;
		size_t length;
	} tables[] = {
		{ 0xE0000, "RSD PTR \0      \0\0\0\0\xE0", 20 },
		{ DUMMY_PA, "RSDT\x24\0\0\0", 8 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		memcpy(memory_at(tables[i].pa), tables[i].bytes, tables[i].length);
	fix_checksum(tables[0].pa, RSDP);
	fix_checksum(DUMMY_PA, ACPI_TABLE);
	acpi_power_off();
	memset(memory_at(0xE0000), 0, 20);
	__asan_poison_memory_region((void *)(KERNBASE + KERNMAX), DUMMY);
	mapped = 0;
}

static void
check_cpus(void)
{
	bool seen[256] = { false };
	int expected = 1;

	must(ncpu >= 1 && ncpu <= NCPU && cpus[0].cpu_apicid == boot_apicid);
	for (int i = 0; i < ncpu; i++) {
		uint8_t id = cpus[i].cpu_apicid;
		must(cpus[i].cpu_id == i && !seen[id]);
		must(i == 0 || acpi.cpus[id] || mp.cpus[id]);
		seen[id] = true;
	}
	must(lapicaddr >= KERNMAX && PGOFF(lapicaddr) == 0);

	// The kernel must use the ACPI tables if there are valid ones, otherwise the MP table.
	const struct Found *found = acpi.tables ? &acpi : &mp;
	if (acpi.mistakes || (found == &mp && mp.mistakes))
		return;
	for (int id = 0; id < 256; id++)
		expected += found->cpus[id] && id != boot_apicid;
	must(ncpu == MIN(expected, NCPU));
	if (found->tables && found->lapicaddr >= KERNMAX && PGOFF(found->lapicaddr) == 0)
		must(lapicaddr == found->lapicaddr);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct Input in = { data, size };

	boot_apicid = take_byte(&in);
	high = high_places[take_byte(&in) % ARRAY_SIZE(high_places)];
	reset_mapping();
	__asan_unpoison_memory_region((void *)(KERNBASE + KERNMAX), DUMMY);
	while (in.left > 0 && npieces < (int)ARRAY_SIZE(pieces))
		write_piece(&in);
	note_all_tables();
	__asan_poison_memory_region((void *)(KERNBASE + KERNMAX), DUMMY);

	memset(cpus, 0, sizeof(cpus));
	ncpu = 1;
	lapicaddr = 0;
	mp_init();
	if (nrsdps > 0)
		acpi_power_off();
	check_cpus();
	__asan_unpoison_memory_region((void *)(KERNBASE + KERNMAX), DUMMY);
	clear_pieces();
	return 0;
}
