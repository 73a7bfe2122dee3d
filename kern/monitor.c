// The kernel monitor: a prompt at which one can look around, when there is nothing
// to run, at a user's breakpoint, and after a panic.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/init.h>
#include <kern/kdebug.h>
#include <kern/monitor.h>
#include <kern/pmap.h>
#include <kern/trap.h>

#define WHITESPACE "\t\r\n "
#define MAXARGS    16

struct Command {
	const char *name;
	const char *desc;
	int (*func)(int argc, char **argv, struct Trapframe *tf);
};

static const struct Command commands[] = {
	{ "help", "Display this list of commands", mon_help },
	{ "kerninfo", "Display information about the kernel", mon_kerninfo },
	{ "backtrace", "Display the functions that led here", mon_backtrace },
	{ "programs", "List the programs that 'run' can start", mon_programs },
	{ "run", "Start programs: run NAME [NAME...]", mon_run },
	{ "shutdown", "Switch the machine off", mon_shutdown },
	{ "continue", "Go on after a breakpoint", mon_continue },
};

int
mon_help(int argc __attribute__((unused)), char **argv __attribute__((unused)),
    struct Trapframe *tf __attribute__((unused)))
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		cprintf("%s - %s\n", commands[i].name, commands[i].desc);
	return 0;
}

int
mon_kerninfo(int argc __attribute__((unused)), char **argv __attribute__((unused)),
    struct Trapframe *tf __attribute__((unused)))
{
	extern const uint8_t _start[], entry[], edata[]; // From entry.S and kernel.ld.
	const struct { const char *name; const uint8_t *va; } symbols[] = {
		{ "entry", entry }, { "etext", etext }, { "edata", edata }, { "end", end },
	};

	cprintf("Special kernel symbols:\n");
	cprintf("  _start                  %08x (phys)\n", (uint32_t)_start);
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++)
		cprintf("  %-6s %08x (virt)  %08x (phys)\n", symbols[i].name,
		    (uint32_t)symbols[i].va, PADDR(symbols[i].va));
	cprintf("Kernel executable memory footprint: %uKB\n",
	    ROUNDUP((uint32_t)(end - entry), 1024) / 1024);
	cprintf("Physical pages: %u, of which %u are free\n", npages, page_free_count());
	cprintf("CPUs: %d\n", ncpu);
	return 0;
}

int
mon_backtrace(int argc __attribute__((unused)), char **argv __attribute__((unused)),
    struct Trapframe *tf __attribute__((unused)))
{
	kdebug_backtrace(read_ebp());
	return 0;
}

int
mon_programs(int argc __attribute__((unused)), char **argv __attribute__((unused)),
    struct Trapframe *tf __attribute__((unused)))
{
	int column = 0;

	for (const struct Program *p = programs; p < programs_end; p++) {
		column += cprintf("%-20s", p->name);
		if (column >= 80 || p + 1 == programs_end) {
			cprintf("\n");
			column = 0;
		}
	}
	return 0;
}

// They run when the monitor ends: at once, or after a breakpoint when that goes on.
int
mon_run(int argc, char **argv, struct Trapframe *tf)
{
	int started = 0;

	if (panicstr || argc < 2) {
		cprintf(panicstr ? "Not after a panic.\n" : "Usage: run NAME [NAME...]\n");
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		const struct Program *program = program_find(argv[i], strlen(argv[i]));
		if (!program)
			cprintf("No program is called '%s'. Type 'programs' for a list.\n", argv[i]);
		else if (env_create(program, ENV_TYPE_USER) == 0)
			started++;
	}
	return started > 0 && !tf ? -1 : 0;
}

int
mon_shutdown(int argc __attribute__((unused)), char **argv __attribute__((unused)),
    struct Trapframe *tf __attribute__((unused)))
{
	acpi_power_off();
	outw(0x604, 0x2000);  // QEMU, if it was started without ACPI
	outw(0xB004, 0x2000); // Bochs
	cprintf("This machine cannot be switched off from here.\n");
	return 0;
}

int
mon_continue(int argc __attribute__((unused)), char **argv __attribute__((unused)),
    struct Trapframe *tf)
{
	if (tf)
		return -1;
	cprintf("There is nothing to go on with.\n");
	return 0;
}

// Cut a line into words, in place. Returns how many, or -1 if there are too many.
static int
split(char *line, char **argv)
{
	int argc = 0;

	for (;;) {
		while (*line && strchr(WHITESPACE, *line))
			*line++ = '\0';
		if (!*line)
			break;
		if (argc == MAXARGS - 1)
			return -1;
		argv[argc++] = line;
		while (*line && !strchr(WHITESPACE, *line))
			line++;
	}
	argv[argc] = NULL;
	return argc;
}

static int
run_command(char *line, struct Trapframe *tf)
{
	char *argv[MAXARGS];
	int argc = split(line, argv);

	if (argc < 0)
		cprintf("Too many arguments (max %d)\n", MAXARGS - 1);
	if (argc <= 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].func(argc, argv, tf);
	}
	cprintf("Unknown command '%s'\n", argv[0]);
	return 0;
}

void
monitor(struct Trapframe *tf)
{
	cprintf("Welcome to the JOS kernel monitor!\n");
	cprintf("Type 'help' for a list of commands.\n");
	if (tf) {
		print_trapframe(tf);
		if (tf->tf_cs & 3)
			kdebug_print_user(curenv, tf->tf_eip);
	}
	for (;;) {
		char *line = readline("K> ");
		if (line && run_command(line, tf) < 0)
			break;
	}
}
