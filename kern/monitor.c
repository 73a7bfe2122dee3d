// The kernel monitor: a prompt at which one can look around, when there is nothing
// to run, at a user's breakpoint, and after a panic.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/audit.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/failalloc.h>
#include <kern/init.h>
#include <kern/kdebug.h>
#include <kern/lockstat.h>
#include <kern/monitor.h>
#include <kern/pmap.h>
#include <kern/spinlock.h>
#include <kern/trap.h>

#define BLANKS    " \t\r\n"
#define MAX_WORDS 16

// A command gets its words, and what monitor got. Less than 0 ends the monitor.
typedef int command_t(int argc, char **argv, struct Trapframe *tf);

static command_t mon_help, mon_kerninfo, mon_backtrace, mon_programs, mon_run, mon_kill,
    mon_failalloc, mon_audit, mon_shutdown, mon_continue;

static const struct {
	const char *name;
	const char *desc;
	command_t *func;
} commands[] = {
	{ "help", "Say what the commands do", mon_help },
	{ "kerninfo", "Say where the kernel is, and what it has", mon_kerninfo },
	{ "backtrace", "Show the calls that led here", mon_backtrace },
	{ "programs", "List the programs that 'run' can start", mon_programs },
	{ "run", "Start programs: run NAME[,ARGUMENT...] [NAME...]", mon_run },
	{ "kill", "End all environments", mon_kill },
	{ "failalloc", "Let a page allocation fail: failalloc K (the K-th), K+ (and all after it)",
	    mon_failalloc },
	{ "audit", "Check that the kernel's books balance", mon_audit },
	{ "lockstat", "Show what the big lock costs: lockstat [on|off] (measure how long it is held)",
	    mon_lockstat },
	{ "shutdown", "Switch the machine off", mon_shutdown },
	{ "continue", "Go on after a breakpoint", mon_continue },
};

static int
mon_help(int argc, char **argv, struct Trapframe *tf)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		cprintf("%s - %s\n", commands[i].name, commands[i].desc);
	return 0;
}

static int
mon_kerninfo(int argc, char **argv, struct Trapframe *tf)
{
	extern const uint8_t _start[], entry[], edata[]; // From entry.S and kernel.ld.
	const struct {
		const char *name;
		const uint8_t *va;
	} symbols[] = {
		{ "entry", entry },
		{ "etext", etext },
		{ "edata", edata },
		{ "end", end },
	};

	cprintf("The kernel's sections:\n");
	cprintf("  _start                  %08x (phys)\n", (uint32_t)_start);
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++)
		cprintf("  %-6s %08x (virt)  %08x (phys)\n", symbols[i].name,
		    (uint32_t)symbols[i].va, PADDR(symbols[i].va));
	cprintf("It takes %uK of memory.\n", ROUNDUP((uint32_t)(end - entry), 1024) / 1024);
	cprintf("Physical pages: %u, of which %u are free\n", npages, page_free_count());
	cprintf("CPUs: %d; spurious interrupts: %u\n", ncpu, spurious_interrupts);
	return 0;
}

static int
mon_backtrace(int argc, char **argv, struct Trapframe *tf)
{
	kdebug_backtrace(read_ebp());
	return 0;
}

static int
mon_programs(int argc, char **argv, struct Trapframe *tf)
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
static int
mon_run(int argc, char **argv, struct Trapframe *tf)
{
	int started = 0;

	if (panicstr || argc < 2) {
		cprintf(panicstr ? "Not after a panic.\n" : "Usage: run NAME [NAME...]\n");
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		size_t len = strlen(argv[i]);
		const struct Program *program = program_find(argv[i], len);
		if (!program)
			cprintf(
			    "No program is called '%s'. Type 'programs' for a list.\n", argv[i]);
		else if (env_create(program, argv[i], len, ENV_TYPE_USER) == 0)
			started++;
	}
	return started > 0 && !tf ? -1 : 0;
}

// One that another CPU has goes as soon as that CPU gets the lock.
static int
mon_kill(int argc, char **argv, struct Trapframe *tf)
{
	if (panicstr) {
		cprintf("Not after a panic.\n");
		return 0;
	}
	for (struct Env *e = envs; e < envs + NENV; e++) {
		if (e->env_status != ENV_FREE && e->env_status != ENV_DYING)
			env_destroy(e);
	}
	return tf ? -1 : 0;
}

static int
mon_failalloc(int argc, char **argv, struct Trapframe *tf)
{
	if (argc != 2 || !failalloc_set(argv[1]))
		cprintf("Usage: failalloc K, failalloc K+, or failalloc 0\n");
	return 0;
}

static int
mon_audit(int argc, char **argv, struct Trapframe *tf)
{
	audit();
	return 0;
}

static int
mon_shutdown(int argc, char **argv, struct Trapframe *tf)
{
	acpi_power_off();
	outw(0x604, 0x2000);  // QEMU, if it was started without ACPI
	outw(0xB004, 0x2000); // Bochs
	cprintf("This machine cannot be switched off from here.\n");
	return 0;
}

static int
mon_continue(int argc, char **argv, struct Trapframe *tf)
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
		while (*line && strchr(BLANKS, *line))
			*line++ = '\0';
		if (!*line)
			break;
		if (argc == MAX_WORDS - 1)
			return -1;
		argv[argc++] = line;
		while (*line && !strchr(BLANKS, *line))
			line++;
	}
	argv[argc] = NULL;
	return argc;
}

static int
run_command(char *line, struct Trapframe *tf)
{
	char *argv[MAX_WORDS];
	int argc = split(line, argv);

	if (argc < 0)
		cprintf("More than %d words are too many.\n", MAX_WORDS - 1);
	if (argc <= 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].func(argc, argv, tf);
	}
	cprintf("There is no command '%s'.\n", argv[0]);
	return 0;
}

void
monitor(struct Trapframe *tf)
{
	assert(kernel_locked());
	lockstat_end(&thiscpu->cpu_lockstat); // Somebody who types is not what the lock costs.
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
	lockstat_begin(&thiscpu->cpu_lockstat);
}
