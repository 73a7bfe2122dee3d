// Print the function and source line of an address in a program, and backtraces of programs. The
// functions are in the symbol table of the program's ELF image. tools/build/proglines.py makes a
// table of the lines and describes its format; kern/Makefrag puts it next to the image.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/string.h>

#include <kern/check/kdebug.h>
#include <kern/check/memread.h>
#include <kern/elf.h>
#include <kern/env.h>

#define MOST_FRAMES 32

// The table of lines. A row says that its file and line begin at its address. A block starts with
// its first row; each further row is two bytes: how much the address and the line grow.
struct LineBlock {
	uint32_t addr;
	uint16_t file, line;
	uint32_t rows; // Offset of the further rows in the table; the next block's is their end
};

struct LineTable {
	uint32_t nblocks, nfiles;
	struct LineBlock blocks[]; // Sorted by address; the last marks the end of the code
				   // nfiles offsets of file names in the table follow.
};

// Find the file and line of eip. Returns false if they are not known.
static bool
find_line(const struct LineTable *table, uintptr_t eip, const char **file, uint32_t *line)
{
	const struct LineBlock *block = table->blocks, *last = block + table->nblocks - 1;
	const uint32_t *files = (const uint32_t *)(last + 1);

	if (table->nblocks < 2 || eip < block->addr || eip >= last->addr)
		return false;
	while (eip >= block[1].addr)
		block++;
	const uint8_t *row = (const uint8_t *)table + block->rows;
	const uint8_t *end = (const uint8_t *)table + block[1].rows;
	uint32_t addr = block->addr;
	*line = block->line;
	for (; row < end && addr + row[0] <= eip; row += 2) {
		addr += row[0];
		*line += (int8_t)row[1];
	}
	if (block->file >= table->nfiles)
		return false;
	*file = (const char *)table + files[block->file];
	return true;
}

// Print the place of the instruction at `inside`, in the format of the kernel's places (print_place
// in kdebug.c).
static void
print_place(const struct Program *program, uintptr_t inside, uintptr_t eip)
{
	const char *file = "<unknown>";
	uint32_t line = 0, offset;
	const char *function = elf_function_at(program->image, program->size, inside, &offset);

	find_line(program->lines, inside, &file, &line);
	if (function)
		cprintf("        %s:%u: %s+%u\n", file, line, function, offset + (eip - inside));
	else
		cprintf("        %s:%u: <unknown>+0\n", file, line);
}

// The innermost function may have no frame: it has just begun, it is about to return, or it is one
// of the functions in lib/syscall.S. Then the return address is on the stack, below the registers
// that the function is about to pop. Change the registers to those of its caller; return false if
// the function has a frame.
static bool
leave_function(const struct Env *e, uint32_t *eip, uint32_t *esp, uint32_t *ebp)
{
	enum { RET = 0xC3, POP = 0x58, POP_EBP = 0x5D };
	const struct Program *program = e->env_program;
	uint32_t sp = *esp, bp = *ebp, offset = 1;
	const uint8_t *code = memory_at(e->env_pgdir, *eip);

	elf_function_at(program->image, program->size, *eip, &offset);
	for (int i = 0; code && offset > 0 && *code != RET; i++, sp += 4) {
		if (i == 8 || (*code & ~7) != POP)
			return false;
		if (*code == POP_EBP && !read_word(e->env_pgdir, sp, &bp))
			return false;
		code = memory_at(e->env_pgdir, *eip + i + 1);
	}
	if (!code || !read_word(e->env_pgdir, sp, eip))
		return false;
	*esp = sp + 4;
	*ebp = bp;
	return true;
}

// Return whether the instruction at eip comes from an assembly file.
static bool
in_assembly(const struct Program *program, uintptr_t eip)
{
	const char *file;
	uint32_t line;

	return find_line(program->lines, eip, &file, &line) &&
	       strcmp(strfind(file, '.'), ".S") == 0;
}

void
kdebug_print_user(const struct Env *e, const struct Trapframe *tf)
{
	const struct Program *program = e->env_program;
	uint32_t eip = tf->tf_eip, esp = tf->tf_esp, ebp = tf->tf_regs.reg_ebp;
	uint32_t inside = eip, line, offset;
	const char *file, *function;

	if (!program) {
		cprintf("  at %08x, in no program\n", eip);
		return;
	}
	// A system call: the place is the function that called the function in lib/syscall.S.
	while (tf->tf_trapno == T_SYSCALL && in_assembly(program, inside) &&
	       leave_function(e, &eip, &esp, &ebp))
		inside = eip - 1;
	function = elf_function_at(program->image, program->size, inside, &offset);
	if (!function)
		cprintf("  at %s: no known function\n", program->name);
	else if (find_line(program->lines, inside, &file, &line))
		cprintf("  at %s: %s+0x%x (%s:%u)\n", program->name, function,
		    offset + (eip - inside), file, line);
	else
		cprintf("  at %s: %s+0x%x\n", program->name, function, offset + (eip - inside));
}

// Print a frame: the registers as in the kernel's backtrace, and the place.
static void
print_frame(const struct Env *e, uint32_t ebp, uint32_t inside, uint32_t eip)
{
	cprintf("  ebp %08x eip %08x args", ebp, eip);
	for (int i = 0; i < 5; i++) {
		uint32_t argument;
		read_word(e->env_pgdir, ebp + 8 + 4 * i, &argument);
		cprintf(" %08x", argument);
	}
	cprintf("\n");
	print_place(e->env_program, inside, eip);
}

// Each further frame must be at a higher address, so a damaged stack cannot cause an endless loop.
void
kdebug_backtrace_user(const struct Env *e, const struct Trapframe *tf)
{
	uint32_t eip = tf->tf_eip, esp = tf->tf_esp, ebp = tf->tf_regs.reg_ebp;
	uint32_t inside = eip, outer;
	int shown = 0;

	cprintf("User frames of %08x (%s):\n", e->env_id, e->env_program->name);
	do {
		print_frame(e, ebp, inside, eip);
	} while (
	    ++shown < MOST_FRAMES && leave_function(e, &eip, &esp, &ebp) && (inside = eip - 1));
	while (read_word(e->env_pgdir, ebp, &outer) && read_word(e->env_pgdir, ebp + 4, &eip)) {
		if (eip == 0 || shown++ == MOST_FRAMES)
			return;
		print_frame(e, outer, eip - 1, eip);
		if (outer <= ebp)
			return;
		ebp = outer;
	}
}
