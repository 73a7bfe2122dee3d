// The monitor's commands that show memory and mappings, and change a mapping's permissions.
// Addresses belong to the environment that is named last on the line, or else to the environment
// that led to the monitor, or else to the kernel's own address space. Ctrl-C ends a long list.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/string.h>

#include <kern/check/arguments.h>
#include <kern/check/commands.h>
#include <kern/check/memread.h>
#include <kern/dev/console.h>
#include <kern/env.h>
#include <kern/pagetable.h>
#include <kern/panic.h>
#include <kern/pmap.h>
#include <kern/tlb.h>

// ---- showmappings ----

static const struct {
	pte_t bit;
	const char *name;
} flag_names[] = {
	{ PTE_W, "W" },
	{ PTE_U, "U" },
	{ PTE_PWT, "PWT" },
	{ PTE_PCD, "PCD" },
	{ PTE_A, "A" },
	{ PTE_D, "D" },
	{ PTE_PS, "4MB" },
	{ PTE_G, "G" },
	{ PTE_SHARE, "SHARE" },
	{ PTE_COW, "COW" },
};

static void
print_flags(const struct Mapping *m)
{
	cprintf("P");
	for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++) {
		if (m->flags & flag_names[i].bit)
			cprintf(" %s", flag_names[i].name);
	}
	// The entry of the page directory can only take rights away.
	pte_t lost = m->flags & ~m->limits & (PTE_W | PTE_U);
	if (lost)
		cprintf(" (its page table does not allow%s%s)", lost & PTE_W ? " W" : "",
		    lost & PTE_U ? " U" : "");
	cprintf("\n");
}

// Return whether the mapping b continues a range of `size` bytes that begins with a.
static bool
continues(const struct Mapping *a, uint32_t size, const struct Mapping *b)
{
	if (a->flags != b->flags || (a->flags && a->limits != b->limits))
		return false;
	return !a->flags || b->pa == a->pa + size;
}

// Print the mapping of the range from lo to last, which begins with m.
static void
print_range(uint32_t lo, uint32_t last, const struct Mapping *m)
{
	cprintf("%08x - %08x  ", lo, last);
	if (!m->flags) {
		cprintf("not mapped\n");
		return;
	}
	cprintf("-> %08x - %08x  ", m->pa, m->pa + (last - lo));
	print_flags(m);
}

// Neighbouring pages with the same flags are one line if their physical pages are neighbours, too.
int
mon_showmappings(int argc, char **argv, struct Trapframe *tf)
{
	uint32_t lo, hi;
	pde_t *pgdir;
	struct Env *e;

	if (argc < 3 || argc > 4 || !address_argument(argv[1], &lo) ||
	    !address_argument(argv[2], &hi) || lo > hi)
		return COMMAND_USAGE;
	if (!pgdir_argument(argv[3], &pgdir, &e))
		return COMMAND_DONE;
	lo = ROUNDDOWN(lo, PGSIZE);
	hi |= PGSIZE - 1;
	while (!cons_stop_wanted()) {
		struct Mapping first = mapping_at(pgdir, lo), next;
		uint32_t size = first.size;
		while (hi - lo >= size) {
			next = mapping_at(pgdir, lo + size);
			if (!continues(&first, size, &next))
				break;
			size += next.size;
		}
		uint32_t last = lo + MIN(size - 1, hi - lo);
		print_range(lo, last, &first);
		if (last == hi)
			break;
		lo = last + 1;
	}
	return COMMAND_DONE;
}

// ---- setperm ----

// Read permissions: u (user), w (writable), c (copy-on-write), s (shared) in any order; or - for
// none of them. A + or - in front adds or removes these permissions.
static bool
perms_argument(const char *text, pte_t old, pte_t *new)
{
	char sign = *text == '+' || *text == '-' ? *text++ : 0;
	pte_t bits = 0;

	if (!*text && sign != '-')
		return false;
	if (!*text)
		sign = 0; // "-" alone: none
	for (; *text; text++) {
		const char *letters = "uwcs", *at = strchr(letters, *text);
		if (!at)
			return false;
		bits |= (pte_t[]){ PTE_U, PTE_W, PTE_COW, PTE_SHARE }[at - letters];
	}
	if (sign == '+')
		*new = old | bits;
	else if (sign == '-')
		*new = old & ~bits;
	else
		*new = (old & ~(PTE_U | PTE_W | PTE_AVAIL)) | bits;
	return true;
}

int
mon_setperm(int argc, char **argv, struct Trapframe *tf)
{
	uint32_t va;
	pde_t *pgdir;
	struct Env *e;
	pte_t *pte, new;

	if (argc < 3 || argc > 4 || !address_argument(argv[1], &va) ||
	    !perms_argument(argv[2], 0, &new))
		return COMMAND_USAGE;
	if (!pgdir_argument(argv[3], &pgdir, &e))
		return COMMAND_DONE;
	if (panicstr || !e || va >= UTOP) {
		cprintf("setperm changes the pages of an environment, below %08x%s.\n", UTOP,
		    panicstr ? ", and not after a panic" : "");
		return COMMAND_DONE;
	}
	if (!page_lookup(pgdir, (void *)va, &pte)) {
		cprintf("No page is mapped at %08x.\n", va);
		return COMMAND_DONE;
	}
	perms_argument(argv[2], *pte, &new);
	*pte = new;
	invlpg((void *)va);
	tlb_shootdown(pgdir);
	struct Mapping m = mapping_at(pgdir, va);
	print_range(ROUNDDOWN(va, PGSIZE), va | (PGSIZE - 1), &m);
	return COMMAND_DONE;
}

// ---- dump ----

#define ROW 16 // Bytes in a row

// The bytes of a row; -1: not in memory.
struct Row {
	int16_t bytes[ROW];
};

// Read the row at `at`. With a page directory, `at` is a virtual address, otherwise a physical one.
static struct Row
read_row(const pde_t *pgdir, uint32_t at)
{
	struct Row row;

	for (int i = 0; i < ROW; i++) {
		const uint8_t *byte = pgdir ? memory_at(pgdir, at + i) : memory_at_pa(at + i);
		row.bytes[i] = byte ? *byte : -1;
	}
	return row;
}

// Print the bytes of the row at `at` that are within the range from lo to last.
static void
print_row(const struct Row *row, uint32_t at, uint32_t lo, uint32_t last)
{
	char text[ROW + 1] = "";

	cprintf("%08x ", at);
	for (int i = 0; i < ROW; i++) {
		int byte = row->bytes[i];
		bool inside = at + i >= lo && at + i <= last;
		text[i] = !inside || byte < 0 ? ' ' : byte < ' ' || byte > '~' ? '.' : byte;
		if (i == ROW / 2)
			cprintf(" ");
		if (!inside)
			cprintf("   ");
		else if (byte < 0)
			cprintf(" --");
		else
			cprintf(" %02x", byte);
	}
	cprintf("  |%s|\n", text);
}

// Print the range from lo to last. Whole rows that are equal to the row before them are left out:
// one line with a * stands for them, as in hexdump.
static void
dump(const pde_t *pgdir, uint32_t lo, uint32_t last)
{
	struct Row row, before;
	bool left_out = false;

	for (uint32_t at = ROUNDDOWN(lo, ROW);; at += ROW) {
		row = read_row(pgdir, at);
		bool is_end = last - at < ROW || at > last;
		bool equal = at > lo && !is_end && memcmp(&row, &before, sizeof(row)) == 0;
		if (equal && !left_out)
			cprintf("*\n");
		if (!equal)
			print_row(&row, at, lo, last);
		left_out = equal;
		before = row;
		if (is_end || (at / ROW % 64 == 0 && cons_stop_wanted()))
			return;
	}
}

int
mon_dump(int argc, char **argv, struct Trapframe *tf)
{
	bool physical = argc > 1 && strcmp(argv[1], "-p") == 0;
	char **words = argv + physical;
	uint32_t lo, count;
	pde_t *pgdir;
	struct Env *e;

	argc -= physical;
	if (argc < 3 || argc > (physical ? 3 : 4) || !address_argument(words[1], &lo) ||
	    !count_argument(words[2], &count) || count - 1 > UINT32_MAX - lo)
		return COMMAND_USAGE;
	if (!pgdir_argument(words[3], &pgdir, &e))
		return COMMAND_DONE;
	dump(physical ? NULL : pgdir, lo, lo + (count - 1));
	return COMMAND_DONE;
}
