// The characters and colours of the pictures that memmap.c prints.

#include <inc/stdio.h>
#include <inc/string.h>

#include <kern/check/cells.h>
#include <kern/check/owners.h>
#include <kern/dev/console.h>
#include <kern/env.h>
#include <kern/pmap.h>

#define COLOUR_KERNEL CONS_COLOURS
#define COLOUR_COW    0x0E // Yellow
#define COLOUR_SHARED 0x0F // White

// Environments take turns with these colours: cyan, green, magenta, blue. Page tables have the dark
// variant, without BRIGHT.
static const uint8_t env_colours[] = { 0x0B, 0x0A, 0x0D, 0x09 };
#define BRIGHT 0x08

// In a character that stands for several pages, the last of these signs wins. The environments
// (ENVS) all have the same rank.
#define ENVS '0'
static const char ranks[] = { '.', '-', 'K', 'S', 'F', 'T', 'D', ENVS, '=', '*', '&', '!' };

static struct Cell
slot_cell(uint32_t slot)
{
	return (struct Cell){ "0123456789abcdefghijklmnopqrstuvwxyz"[slot % 36],
		env_colours[slot % ARRAY_SIZE(env_colours)] };
}

struct Cell
env_cell(const struct Env *e)
{
	return slot_cell(e - envs);
}

// Return the cell of a page that its owner uses for itself: the kind is not KIND_MAPPED.
static struct Cell
table_cell(uint32_t kind, uint32_t slot)
{
	char sign = kind == KIND_DIRECTORY ? 'D' : kind == KIND_TABLE ? 'T' : 'F';

	return (struct Cell){ sign, slot_cell(slot).colours & ~BRIGHT };
}

struct Cell
page_cell(size_t page)
{
	static const struct Cell wrong = { '!', COLOUR_WRONG }, kernel = { 'K', COLOUR_KERNEL },
				 stack = { 'S', COLOUR_KERNEL }, free = { '.', COLOUR_FREE },
				 unusable = { '-', COLOUR_FREE }, cow = { '&', COLOUR_COW },
				 shared = { '*', COLOUR_SHARED }, readable = { '=', COLOUR_SHARED };
	uint32_t word = page_words[page], slot = word & PAGE_SLOT, kind = word & PAGE_KIND;

	if (word & PAGE_WRONG)
		return wrong;
	if (word & PAGE_RESERVED)
		return reserved_kind(page) == RESERVED_STACK    ? stack
		       : reserved_kind(page) == RESERVED_KERNEL ? kernel
								: unusable;
	if (!(word & PAGE_OWNED)) // A page table of the kernel's own, or free
		return word & PAGE_HELD ? kernel : free;
	if (kind != KIND_MAPPED)
		return table_cell(kind, slot);
	if (word & PAGE_SHARED)
		return word & PAGE_WRITABLE ? shared : word & PAGE_COW ? cow : readable;
	return slot_cell(slot);
}

static size_t
rank(char sign)
{
	for (size_t i = 0; i < ARRAY_SIZE(ranks); i++) {
		if (ranks[i] == sign)
			return i;
	}
	return rank(ENVS);
}

struct Cell
pages_cell(size_t first, size_t limit)
{
	struct Cell cell = page_cell(first);

	for (size_t i = first + 1; i < limit; i++) {
		struct Cell other = page_cell(i);
		if (rank(other.sign) > rank(cell.sign))
			cell = other;
	}
	return cell;
}

struct Cell
mapping_cell(const struct Env *e, pte_t pte)
{
	struct Cell cell = { 'r', env_cell(e).colours };
	uint32_t word = PGNUM(pte) < npages ? page_words[PGNUM(pte)] : PAGE_WRONG;

	if (word & PAGE_WRONG)
		return (struct Cell){ '!', COLOUR_WRONG };
	if (pte & PTE_SHARE)
		cell = (struct Cell){ 's', COLOUR_SHARED };
	else if ((pte & (PTE_W | PTE_COW)) == PTE_COW)
		cell = (struct Cell){ 'c', COLOUR_COW };
	else if (pte & PTE_W)
		cell.sign = 'w';
	if (word & PAGE_SHARED)
		cell.sign += 'A' - 'a';
	return cell;
}

void
print_cell(struct Cell cell)
{
	static uint8_t colours = CONS_COLOURS;

	if (cell.colours != colours)
		cons_set_colours(cell.colours);
	colours = cell.colours;
	if (cell.sign)
		cprintf("%c", cell.sign);
}

void
print_plain(void)
{
	print_cell((struct Cell){ '\0', CONS_COLOURS });
}
