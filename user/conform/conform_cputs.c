// Tests sys_cputs: it prints a string that the caller may read. If the caller may not read the
// string, the kernel must destroy the caller.

#include "conform.h"

#define NAME "conform_cputs"

// Pages of AREA: a writable page, a read-only page, an unmapped page, and a writable page.
#define READONLY (AREA + PGSIZE)
#define NOTHING  (AREA + 2 * PGSIZE)
#define BEYOND   (AREA + 3 * PGSIZE)

static const char *bad_string;
static size_t bad_length;

static void
print_bad_string(void)
{
	sys_cputs(bad_string, bad_length);
	STATE->words[0] = 1;
}

static void
kill_callers(void)
{
	static const struct {
		uintptr_t va;
		size_t length;
	} bad[] = {
		{ 0, 1 },
		{ 1, 1 },
		{ UTEXT - 1, 1 },
		{ UTEXT - 1, 2 },
		{ USTACKTOP - 1, 2 },
		{ USTACKTOP, 1 },
		{ UTOP - 1, 1 },
		{ ULIM - 1, 2 },
		{ ULIM, 1 },
		{ MMIOBASE, 4 },
		// Would be page tables of the kernel, but the kernel uses 4 MB pages there
		{ UVPT + ((KERNBASE + 16 * PTSIZE) >> PGSHIFT) * sizeof(pte_t), 4 },
		{ KERNBASE - 1, 1 },
		{ KERNBASE, 1 },
		{ KERNBASE + 0x100000, 100 },
		{ 0xFFFFFFFF, 1 },
		{ 0xFFFFF000, PGSIZE },
		// Strings that contain an unmapped page, or end in it
		{ (uintptr_t)NOTHING - 1, 2 },
		{ (uintptr_t)NOTHING, 1 },
		{ (uintptr_t)BEYOND - 1, 2 },
		{ (uintptr_t)AREA, 4 * PGSIZE },
		{ (uintptr_t)READONLY + 5, 2 * PGSIZE },
		// Lengths with which the end of the string wraps around
		{ (uintptr_t)AREA, 0xFFFFFFFF },
		{ (uintptr_t)AREA, 0x80000000 },
		{ (uintptr_t)AREA + 1, 0xFFFFFFFF },
		{ (uintptr_t)AREA + 1, 0 - (uintptr_t)AREA },
		{ (uintptr_t)AREA, 0 - (uintptr_t)AREA },
		{ (uintptr_t)AREA, 0 - (uintptr_t)AREA + 1 },
		{ (uintptr_t)AREA, 0xFFFFF001 },
		{ UENVS, ULIM - UENVS + 1 },
		{ ULIM - 1, 0xFFFFFFFF },
		{ 0xFFFFFFFF, 2 },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		bad_string = (const char *)bad[i].va;
		bad_length = bad[i].length;
		STATE->words[0] = 0;
		conform_in_child(print_bad_string);
		conform_count_with((uint32_t)bad_string, __LINE__, "survived", 0, STATE->words[0]);
	}
}

// With length 0, the address is not used.
static void
print_nothing(void)
{
	sys_cputs(AREA, 0);
	sys_cputs(NOTHING, 0);
	sys_cputs(NULL, 0);
	sys_cputs((const char *)KERNBASE, 0);
	sys_cputs((const char *)0xFFFFFFFF, 0);
	STATE->words[0] = 1;
}

void
umain(int argc, char **argv)
{
	char text[64], *start;
	int length;

	conform_begin(NAME);
	CHECK_EQ(sys_page_alloc(0, AREA, PERM_WRITE), 0);
	CHECK_EQ(sys_page_alloc(0, READONLY, PERM_WRITE), 0);
	CHECK_EQ(sys_page_alloc(0, BEYOND, PERM_WRITE), 0);
	CHECK_EQ(sys_page_map(0, READONLY, 0, READONLY, PERM_READ), 0);
	STATE->words[0] = 0;
	conform_in_child(print_nothing);
	CHECK_EQ(STATE->words[0], 1);
	kill_callers();
	if (STATE->failures) {
		conform_end();
		return;
	}

	// The last line crosses a page boundary, into a read-only page.
	length = snprintf(text, sizeof(text), NAME ": all %d checks passed\n", STATE->checks);
	conform_must(sys_page_map(0, BEYOND, 0, READONLY, PERM_WRITE), "sys_page_map");
	start = READONLY - length / 2;
	memcpy(start, text, length);
	conform_must(sys_page_map(0, BEYOND, 0, READONLY, PERM_READ), "sys_page_map");
	sys_cputs(start, length);
}
