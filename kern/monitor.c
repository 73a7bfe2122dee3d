// The kernel monitor: a prompt for commands that show and change the kernel's state. It runs when
// no environment is left to run, at a user's breakpoint, and after a panic.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/check/audit.h>
#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/check/failalloc.h>
#include <kern/panic.h>
#include <kern/dev/kclock.h>
#include <kern/check/kdebug.h>
#include <kern/check/lockstat.h>
#include <kern/monitor.h>
#include <kern/pmap.h>
#include <kern/probe.h>
#include <kern/spinlock.h>
#include <kern/trap.h>

#define MAX_WORDS      15 // Of a command, including its name
#define SCREEN_COLUMNS 80

// How long to wait for the machine to switch off: an emulator may do so with a delay.
#define POWER_OFF_STEPS   100
#define POWER_OFF_STEP_US 50000

// A command gets its words and monitor's trap frame. A result below 0 ends the monitor.
typedef int command_t(int argc, char **argv, struct Trapframe *tf);

static command_t mon_help, mon_kerninfo, mon_backtrace, mon_programs, mon_run, mon_kill,
    mon_failalloc, mon_audit, mon_shutdown, mon_continue;

static const struct Command {
	const char *name;
	const char *desc;
	command_t *func;
	bool takes_arguments;
} commands[] = {
	{ "help", "Say what the commands do", mon_help, false },
	{ "kerninfo", "Say where the kernel is, and what it has", mon_kerninfo, false },
	{ "backtrace", "Show the calls that led here", mon_backtrace, false },
	{ "programs", "List the programs that 'run' can start", mon_programs, false },
	{ "run", "Start programs: run NAME[,ARGUMENT...] [NAME...]", mon_run, true },
	{ "kill", "End all environments", mon_kill, false },
	{ "failalloc", "Let a page allocation fail: failalloc K (the K-th), K+ (and all after it)",
	    mon_failalloc, true },
	{ "audit", "Check that the kernel's books balance", mon_audit, false },
	{ "lockstat", "Show what the big lock costs: lockstat [on|off] (measure it)", mon_lockstat,
	    true },
	{ "shutdown", "Switch the machine off", mon_shutdown, false },
	{ "continue", "Go on after a breakpoint", mon_continue, false },
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
	} symbols[] = { { "entry", entry }, { "etext", etext }, { "edata", edata },
		{ "end", end } };

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

// Print the names of n programs in columns.
static void
print_names(const struct Program *p, int n)
{
	int width = 0;

	for (int i = 0; i < n; i++)
		width = MAX(width, (int)strlen(p[i].name) + 2);
	int columns = MAX(SCREEN_COLUMNS / width, 1);
	for (int i = 0; i < n; i++) {
		if ((i + 1) % columns == 0 || i + 1 == n)
			cprintf("%s\n", p[i].name);
		else
			cprintf("%-*s", width, p[i].name);
	}
}

static int
mon_programs(int argc, char **argv, struct Trapframe *tf)
{
	const struct Program *first = programs, *next;

	for (; first < programs_end; first = next) {
		next = first + 1;
		while (next < programs_end && strcmp(next->folder, first->folder) == 0)
			next++;
		cprintf("%s:\n", first->folder);
		print_names(first, next - first);
	}
	return 0;
}

// Starts programs, and ends the monitor, except after a breakpoint: then they wait for `continue`.
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

// An environment on another CPU ends when that CPU gets the big lock.
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
	// Free all of their memory now, before the next command.
	for (struct Env *e = envs; e < envs + NENV; e++) {
		while (e->env_status == ENV_DYING && !e->env_oncpu)
			env_end_part(e);
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
	for (int i = 0; i < POWER_OFF_STEPS; i++)
		udelay(POWER_OFF_STEP_US);
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

// ---- Reading and running a command line ----

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Split a line into words, in place: every blank becomes a zero. Returns the number of words, and
// in argv the first MAX_WORDS of them, and then NULL.
static int
split(char *line, char *argv[MAX_WORDS + 1])
{
	int argc = 0;
	bool in_word = false;

	for (char *at = line; *at; at++) {
		bool blank = is_blank(*at);
		if (!blank && !in_word && argc++ < MAX_WORDS)
			argv[argc - 1] = at;
		if (blank)
			*at = '\0';
		in_word = !blank;
	}
	argv[MIN(argc, MAX_WORDS)] = NULL;
	return argc;
}

static const struct Command *
find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

// Run a command line. Returns the command's result, or 0 if there is no command.
static int
run_line(char *line, struct Trapframe *tf)
{
	char *argv[MAX_WORDS + 1];
	int argc = split(line, argv);

	if (argc == 0)
		return 0;
	if (argc > MAX_WORDS) {
		cprintf("More than %d words are too many.\n", MAX_WORDS);
		return 0;
	}
	const struct Command *command = find_command(argv[0]);
	if (!command) {
		cprintf("There is no command '%s'.\n", argv[0]);
		return 0;
	}
	if (argc > 1 && !command->takes_arguments) {
		cprintf("'%s' takes no arguments.\n", argv[0]);
		return 0;
	}
	return command->func(argc, argv, tf);
}

void
monitor(struct Trapframe *tf)
{
	assert(kernel_locked());
	probe(PROBE_STOP, 0);
	cprintf("Welcome to the JOS kernel monitor!\n");
	cprintf("Type 'help' for a list of commands.\n");
	if (tf) {
		print_trapframe(tf);
		if (tf->tf_cs & 3)
			kdebug_print_user(curenv, tf->tf_eip);
	}
	for (;;) {
		char *line = readline("K> ");
		if (line && run_line(line, tf) < 0)
			break;
	}
	probe(PROBE_GO, 0);
}
