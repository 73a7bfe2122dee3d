// The kernel monitor: a prompt for commands that show and change the kernel's state. It runs when
// no environment is left to run, at a user's breakpoint, and after a panic.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/panic.h>
#include <kern/check/commands.h>
#include <kern/check/kdebug.h>
#include <kern/check/lockstat.h>
#include <kern/monitor.h>
#include <kern/pmap.h>
#include <kern/probe.h>
#include <kern/spinlock.h>
#include <kern/trap.h>

#define MAX_WORDS 15 // Most words in a command, including its name

// A command gets its words and monitor's trap frame. A result below 0 ends the monitor.
typedef int command_t(int argc, char **argv, struct Trapframe *tf);

static command_t mon_help, mon_kerninfo, mon_backtrace, mon_continue;

static const struct Command {
	const char *name;
	const char *desc;
	command_t *func;
	bool takes_arguments;
} commands[] = {
	{ "help", "List the commands", mon_help, false },
	{ "kerninfo", "Show the kernel's addresses and resources", mon_kerninfo, false },
	{ "backtrace", "Show the calls that led here", mon_backtrace, false },
	{ "programs", "List the programs that 'run' can start", mon_programs, false },
	{ "run", "Start programs: run NAME[,ARGUMENT...] [NAME...]", mon_run, true },
	{ "kill", "End all environments", mon_kill, false },
	{ "failalloc", "Let a page allocation fail: failalloc K (the K-th), K+ (and all after it)",
	    mon_failalloc, true },
	{ "audit", "Check that the kernel's data is consistent", mon_audit, false },
	{ "lockstat", "Show statistics of the big lock: lockstat [on|off] (measure)", mon_lockstat,
	    true },
	{ "trace", "Show the last N events of the kernel: trace [on|off|N]", mon_trace, true },
	{ "shutdown", "Switch the machine off", mon_shutdown, false },
	{ "continue", "Continue after a breakpoint", mon_continue, false },
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
	extern const uint8_t _start[], entry[], edata[]; // Defined in entry.S and kernel.ld
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

static int
mon_continue(int argc, char **argv, struct Trapframe *tf)
{
	if (tf)
		return -1;
	cprintf("There is nothing to continue.\n");
	return 0;
}

// ---- Reading and running a command line ----

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Split a line into words, in place: every blank becomes a zero. Returns the number of words. argv
// gets the first MAX_WORDS words, followed by NULL.
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

// Run a command line. Returns the command's result, or 0 if no command was run.
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
