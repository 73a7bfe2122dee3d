// Print backtraces of the kernel, and the function and source line of an address in the kernel. The
// kernel has a table of its own functions and lines. userdebug.c does the same for programs.

#include <inc/assert.h>
#include <inc/memlayout.h>

#include <kern/cpu.h>
#include <kern/check/kdebug.h>

// The table of the kernel's functions and lines. tools/build/ksymtab.py makes this table from the
// linked kernel, and describes its format. ksym_funcs and ksym_lines are sorted by address, and
// each entry is valid up to the address of the next entry.
#define KSYM_NO_FILE 0xffff

struct KsymFunc {
	uint32_t addr;
	uint32_t name; // Offset in ksym_strings; an empty name marks the end of code
};

struct KsymLine {
	uint32_t addr;
	uint16_t file; // Index in ksym_files, or KSYM_NO_FILE if the file is not known
	uint16_t line;
};

extern const struct KsymFunc ksym_funcs[];
extern const struct KsymLine ksym_lines[];
extern const uint32_t ksym_files[]; // Offsets in ksym_strings
extern const char ksym_strings[];
extern const uint32_t ksym_nfuncs, ksym_nlines, ksym_nfiles;

// search() works for both arrays: each of their entries has two words, and the first word is the
// address.
static_assert(sizeof(struct KsymFunc) == 8 && sizeof(struct KsymLine) == 8);

// A backtrace of a deep stack shows SHOWN innermost frames and SHOWN outermost frames.
#define SHOWN 8

// Return the last of n entries whose address is at or before eip; NULL if there is none.
static const void *
search(const void *table, uint32_t n, uintptr_t eip)
{
	const struct KsymFunc *entries = table;
	uint32_t low = 0, high = n; // Always entries[low - 1].addr <= eip < entries[high].addr

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (entries[mid].addr <= eip)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 ? &entries[low - 1] : NULL;
}

const char *
kdebug_function(uintptr_t eip)
{
	const struct KsymFunc *func = search(ksym_funcs, ksym_nfuncs, eip);

	return func && ksym_strings[func->name] ? &ksym_strings[func->name] : NULL;
}

// Print the file, line and function of the instruction at `inside`, and the offset of eip in that
// function. If eip is a return address, `inside` is eip - 1, which is an address in the call
// instruction. If the called function never returns, the call can be the last instruction of its
// function, and the return address is then in the next function.
static void
print_place(uintptr_t inside, uintptr_t eip)
{
	const struct KsymFunc *func = search(ksym_funcs, ksym_nfuncs, inside);
	const struct KsymLine *line = search(ksym_lines, ksym_nlines, inside);

	if (line && line->file != KSYM_NO_FILE)
		cprintf("        %s:%u: ", &ksym_strings[ksym_files[line->file]], line->line);
	else
		cprintf("        <unknown>:0: ");
	if (func && ksym_strings[func->name])
		cprintf("%s+%u\n", &ksym_strings[func->name], eip - func->addr);
	else
		cprintf("<unknown>+0\n");
}

void
kdebug_print_kernel(uintptr_t eip)
{
	print_place(eip, eip);
}

// Return the word at va, if va is on this CPU's kernel stack or on its double-fault stack.
// Otherwise return 0.
static uint32_t
stack_word(uintptr_t va)
{
	uintptr_t top = KSTACKTOP_CPU(cpunum()), df_top = KSTACKTOP_CPU(NCPU + cpunum());

	if (va % sizeof(uint32_t) != 0)
		return 0;
	if ((va < top - KSTKSIZE || va >= top) && (va < df_top - DFSTKSIZE || va >= df_top))
		return 0;
	return *(uint32_t *)va;
}

// Return the address of the caller's frame; ebp is the address of the called function's frame.
// Returns 0 if there is no caller. The caller's frame must be at a higher address, so a damaged
// stack cannot cause an endless loop.
static uint32_t
outer_frame(uint32_t ebp)
{
	uint32_t outer = stack_word(ebp);

	return outer > ebp && stack_word(outer + 4) ? outer : 0;
}

static void
print_frame(uint32_t ebp)
{
	uint32_t eip = stack_word(ebp + 4);

	cprintf("  ebp %08x eip %08x args", ebp, eip);
	for (int i = 0; i < 5; i++)
		cprintf(" %08x", stack_word(ebp + 8 + 4 * i));
	cprintf("\n");
	print_place(eip - 1, eip);
}

void
kdebug_backtrace(uint32_t ebp)
{
	int count = 0;

	cprintf("Stack backtrace:\n");
	if (!stack_word(ebp + 4))
		return;
	for (uint32_t at = ebp; at; at = outer_frame(at))
		count++;
	for (int i = 0; i < count; i++, ebp = outer_frame(ebp)) {
		if (i < SHOWN || i >= count - SHOWN)
			print_frame(ebp);
		else if (i == SHOWN)
			cprintf("  ... %d frames more ...\n", count - 2 * SHOWN);
	}
}
