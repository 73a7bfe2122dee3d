// The monitor's command memmap: memory as a picture, a character a page.
//
//	memmap          physical memory. Rows of equal pages become one line, and if there are too
//	                many other rows, a character is 2, 4, 8, ... pages
//	memmap LO HI    the physical pages between two addresses, always a character a page
//	memmap page PA  a physical page, and all mappings of it
//	memmap ENV      the address space of an environment
//
// A page is red if the audit finds an error with it, or if one environment maps it copy-on-write
// while another can write to it. Only programs can make the second mistake.

#include <inc/stdio.h>
#include <inc/string.h>

#include <kern/check/arguments.h>
#include <kern/check/audit.h>
#include <kern/check/cells.h>
#include <kern/check/commands.h>
#include <kern/check/envcommands.h>
#include <kern/check/owners.h>
#include <kern/env.h>
#include <kern/pmap.h>

#define ROW       64 // Characters in a row
#define MAX_ROWS  16 // Rows of physical memory; with more, a character is several pages
#define MAX_LINES 16 // Environments to list, and errors to print

// ---- Physical memory ----

// Return the sign that all pages of a row have, if it is one of those that can fill many rows.
// Otherwise, return 0.
static char
sign_of_row(size_t first, size_t limit)
{
	char sign = page_cell(first).sign;

	for (size_t i = first + 1; i < limit; i++) {
		if (page_cell(i).sign != sign)
			return 0;
	}
	return strchr(".-KS", sign) ? sign : 0;
}

static void
print_row(size_t first, size_t limit, size_t scale)
{
	cprintf("%08x ", first << PGSHIFT);
	for (size_t i = first; i < limit; i += scale)
		print_cell(pages_cell(i, MIN(i + scale, limit)));
	print_plain();
	cprintf("\n");
}

// Print a row for ROW * scale pages, or one line for equal rows. Without `print`, only count.
// Returns the number of lines.
static int
print_pages(size_t first, size_t limit, size_t scale, bool print)
{
	int lines = 0;

	for (size_t i = first, next; i < limit; i = next, lines++) {
		next = MIN(i + ROW * scale, limit);
		char sign = sign_of_row(i, next);
		if (sign == 0) {
			if (print)
				print_row(i, next, scale);
			continue;
		}
		while (next < limit && sign_of_row(next, MIN(next + ROW * scale, limit)) == sign)
			next = MIN(next + ROW * scale, limit);
		if (print)
			cprintf("%08x %c ... %u pages\n", i << PGSHIFT, sign, next - i);
	}
	return lines;
}

static void
print_env(const struct Env *e)
{
	uint32_t mapped = 0, shared = 0, tables = 0;
	pte_t pte;

	for (uint32_t pdx = 0; pdx < PDX(UTOP); pdx++)
		tables += (e->env_pgdir[pdx] & PTE_P) != 0;
	for (uint32_t vpn = 0; (vpn = next_mapped(e->env_pgdir, vpn, &pte)) < PGNUM(UTOP); vpn++) {
		mapped++;
		shared += PGNUM(pte) < npages && page_words[PGNUM(pte)] & PAGE_SHARED;
	}
	print_cell(env_cell(e));
	print_plain();
	cprintf(" [%08x] %s, %s: %u pages (%u mapped elsewhere, too), %u page tables\n", e->env_id,
	    env_name(e), env_status_name(e), mapped, shared, tables);
}

static void
list_envs(void)
{
	int n = 0;

	for (const struct Env *e = envs; e < envs + NENV; e++) {
		if (e->env_pgdir && ++n <= MAX_LINES)
			print_env(e);
	}
	if (n > MAX_LINES)
		cprintf("... and %d more environments\n", n - MAX_LINES);
}

static void
print_legend(void)
{
	cprintf(
	    ". free  K kernel  S kernel stack  - not usable  D page directory  T page table\n"
	    "F floating-point state  0-9 a-z of the environment in this slot (modulo 36)\n"
	    "Mapped more than once: = read-only, & copy-on-write, * writable.  ! wrong\n");
}

// Print in red what is wrong: first a line for each page that is copy-on-write in one environment
// and writable in another, then the lines of the audit.
static void
print_mistakes(void)
{
	static const struct Cell red = { '\0', COLOUR_WRONG };
	bool audit_errors = false;
	int n = 0;

	for (size_t i = 0; i < npages; i++) {
		if ((page_words[i] & PAGE_BROKEN_COW) != PAGE_BROKEN_COW) {
			audit_errors |= (page_words[i] & PAGE_WRONG) != 0;
			continue;
		}
		if (++n > MAX_LINES)
			continue;
		print_cell(red);
		cprintf("page 0x%08x is copy-on-write, but an environment can write to it\n",
		    i << PGSHIFT);
		print_plain();
	}
	if (audit_errors)
		print_cell(red);
	audit();
	print_plain();
}

static void
print_memory(void)
{
	size_t scale = 1;

	find_owners();
	while (print_pages(0, npages, scale, false) > MAX_ROWS)
		scale *= 2;
	cprintf("A character is %u page%s of 4 KB.\n", scale, scale > 1 ? "s" : "");
	print_pages(0, npages, scale, true);
	list_envs();
	print_mistakes();
	print_legend(); // Last: the prompt then has the usual colours
}

// ---- The address space of an environment ----

static void
print_space_row(const struct Env *e, uint32_t first)
{
	pte_t pte;

	cprintf("%08x ", first << PGSHIFT);
	for (uint32_t vpn = first; vpn < first + ROW; vpn++) {
		if (next_mapped(e->env_pgdir, vpn, &pte) == vpn)
			print_cell(mapping_cell(e, pte));
		else
			print_cell((struct Cell){ '.', COLOUR_FREE });
	}
	print_plain();
	cprintf("\n");
}

static void
print_space(const struct Env *e)
{
	pte_t pte;

	find_owners();
	print_env(e);
	for (uint32_t vpn = 0; (vpn = next_mapped(e->env_pgdir, vpn, &pte)) < PGNUM(UTOP);) {
		vpn = ROUNDDOWN(vpn, ROW);
		print_space_row(e, vpn);
		vpn += ROW;
	}
	cprintf(
	    "r read-only  w writable  c copy-on-write  s PTE_SHARE  R W C S: mapped elsewhere,"
	    " too\n. not mapped  ! wrong. From %08x up, all environments are the same.\n",
	    UTOP);
}

// ---- One page ----

static void
print_mappings(const struct Env *e, size_t page)
{
	pte_t pte;

	if (PGNUM(PADDR(e->env_pgdir)) == page)
		cprintf("  [%08x] page directory\n", e->env_id);
	if (e->env_fpu && PGNUM(PADDR(e->env_fpu)) == page)
		cprintf("  [%08x] floating-point state\n", e->env_id);
	for (uint32_t pdx = 0; pdx < PDX(UTOP); pdx++) {
		if ((e->env_pgdir[pdx] & PTE_P) && PGNUM(e->env_pgdir[pdx]) == page)
			cprintf("  [%08x] page table of va %p\n", e->env_id, PGADDR(pdx, 0, 0));
	}
	for (uint32_t vpn = 0; (vpn = next_mapped(e->env_pgdir, vpn, &pte)) < PGNUM(UTOP); vpn++) {
		if (PGNUM(pte) == page)
			cprintf("  [%08x] va 0x%08x, %s%s%s\n", e->env_id, vpn << PGSHIFT,
			    pte & PTE_W ? "writable" : "read-only",
			    pte & PTE_COW ? ", PTE_COW" : "", pte & PTE_SHARE ? ", PTE_SHARE" : "");
	}
}

static void
print_page(size_t page)
{
	find_owners();
	cprintf("page 0x%08x ", page << PGSHIFT);
	print_cell(page_cell(page));
	print_plain();
	cprintf(" pp_ref is %u\n", pages[page].pp_ref);
	for (const struct Env *e = envs; e < envs + NENV; e++) {
		if (e->env_pgdir)
			print_mappings(e, page);
	}
}

// ---- The command ----

// Return whether there is a page at a physical address. If not, print a message.
static bool
page_exists(uint32_t pa)
{
	if (PGNUM(pa) >= npages)
		cprintf("Physical memory ends at 0x%08x.\n", npages << PGSHIFT);
	return PGNUM(pa) < npages;
}

static void
print_range(uint32_t low, uint32_t high)
{
	find_owners();
	print_pages(PGNUM(low), MIN(PGNUM(high) + 1, npages), 1, true);
	print_legend();
}

int
mon_memmap(int argc, char **argv, struct Trapframe *tf)
{
	uint32_t a, b;
	struct Env *e;

	if (argc == 1) {
		print_memory();
	} else if (argc == 2) {
		if (env_argument(argv[1], &e))
			print_space(e);
	} else if (argc == 3 && strcmp(argv[1], "page") == 0 && address_argument(argv[2], &a)) {
		if (page_exists(a))
			print_page(PGNUM(a));
	} else if (argc == 3 && address_argument(argv[1], &a) && address_argument(argv[2], &b) &&
		   a <= b) {
		if (page_exists(a))
			print_range(a, b);
	} else {
		return COMMAND_USAGE;
	}
	return COMMAND_DONE;
}
