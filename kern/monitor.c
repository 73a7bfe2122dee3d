// The kernel monitor: a prompt for commands that show and change the kernel's state. It runs when
// no environment is left to run, at a user's breakpoint, and after a panic.

#include <inc/assert.h>
#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/cpu.h>
#include <kern/env.h>
#include <kern/panic.h>
#include <kern/check/arguments.h>
#include <kern/check/commands.h>
#include <kern/check/kdebug.h>
#include <kern/check/step.h>
#include <kern/dev/console.h>
#include <kern/monitor.h>
#include <kern/pmap.h>
#include <kern/probe.h>
#include <kern/spinlock.h>
#include <kern/trap.h>

#define MAX_WORDS 15 // Most words in a command, including its name

static command_t mon_help, mon_kerninfo, mon_backtrace;

// docs/monitor.md describes the commands.
static const struct Command commands[] = {
	{ "help", "", "List the commands", mon_help },
	{ "kerninfo", "", "Show the kernel's addresses and resources", mon_kerninfo },
	{ "backtrace", "[ENV]", "Show the calls that led here, or to where ENV is", mon_backtrace },
	{ "envs", "", "Show the environments, and what each waits for (also Ctrl-P)", mon_envs },
	{ "cpus", "", "Show the CPUs, and what each does", mon_cpus },
	{ "showmappings", "LO HI [ENV]", "Show the mappings of an address range",
	    mon_showmappings },
	{ "setperm", "VA [+|-]PERMS [ENV]", "Change a page's permissions: letters of uwcs",
	    mon_setperm },
	{ "dump", "[-p] ADDR N [ENV]", "Show N bytes of memory; -p: at a physical address",
	    mon_dump },
	{ "programs", "", "List the programs that 'run' can start", mon_programs },
	{ "run", "NAME[,ARGUMENT...] [NAME...]", "Start programs", mon_run },
	{ "kill", "[ENV]", "End all environments, or this one", mon_kill },
	{ "step", "", "Run one instruction of the stopped program", mon_step },
	{ "continue", "", "Continue after a breakpoint or Ctrl-C", mon_continue },
	{ "failalloc", "K|K+|0", "Let a page allocation fail: the K-th (+: and all after it)",
	    mon_failalloc },
	{ "audit", "", "Check that the kernel's data is consistent", mon_audit },
	{ "memmap", "[ENV|LO HI|page PA]", "Show memory as a picture", mon_memmap },
	{ "lockstat", "[on|off]", "Show statistics of the big lock, or measure it", mon_lockstat },
	{ "trace", "[on|off|N]", "Show the last N events of the kernel", mon_trace },
	{ "shutdown", "", "Switch the machine off", mon_shutdown },
};

static int
mon_help(int argc, char **argv, struct Trapframe *tf)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		cprintf("%s%s%s - %s\n", commands[i].name, *commands[i].arguments ? " " : "",
		    commands[i].arguments, commands[i].desc);
	return COMMAND_DONE;
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
	struct Env *e = curenv;

	if (argc > 2)
		return COMMAND_USAGE;
	if (argc == 2 && !env_argument(argv[1], &e))
		return COMMAND_DONE;
	if (argc == 1)
		kdebug_backtrace(read_ebp());
	if (e)
		kdebug_backtrace_user(e, env_frame(e));
	return COMMAND_DONE;
}

// ---- Reading and running a command line ----

static const struct Command *
find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

// Run a command line. Returns the command's result, or COMMAND_DONE if no command was run.
static int
run_line(char *line, struct Trapframe *tf)
{
	char *argv[MAX_WORDS + 1];
	int argc = split_line(line, argv, MAX_WORDS), result;

	if (argc == 0)
		return COMMAND_DONE;
	if (argc > MAX_WORDS) {
		cprintf("More than %d words are too many.\n", MAX_WORDS);
		return COMMAND_DONE;
	}
	const struct Command *command = find_command(argv[0]);
	if (!command) {
		cprintf("There is no command '%s'.\n", argv[0]);
		return COMMAND_DONE;
	}
	if (argc > 1 && !*command->arguments) {
		cprintf("'%s' takes no arguments.\n", argv[0]);
		return COMMAND_DONE;
	}
	if ((result = command->func(argc, argv, tf)) == COMMAND_USAGE)
		cprintf("Usage: %s %s\n", command->name, command->arguments);
	return result;
}

void
monitor(struct Trapframe *tf)
{
	bool stepped = step_end(tf);

	assert(kernel_locked());
	probe(PROBE_STOP, 0);
	completion_init(commands, ARRAY_SIZE(commands));
	cons_monitor_opens(true);
	if (!stepped) {
		cprintf("Welcome to the JOS kernel monitor!\n");
		cprintf("Type 'help' for a list of commands.\n");
		if (tf)
			print_trapframe(tf);
	}
	if (tf)
		kdebug_print_user(curenv, tf);
	for (;;) {
		char *line = readline("K> ");
		if (line && run_line(line, tf) == COMMAND_LEAVE)
			break;
	}
	cons_monitor_opens(false);
	probe(PROBE_GO, 0);
}
