// The monitor's commands that start programs, check the kernel and switch the machine off.

#include <inc/stdio.h>
#include <inc/string.h>
#include <inc/x86.h>

#include <kern/check/audit.h>
#include <kern/check/commands.h>
#include <kern/check/failalloc.h>
#include <kern/cpu.h>
#include <kern/dev/kclock.h>
#include <kern/env.h>
#include <kern/panic.h>

#define SCREEN_COLUMNS 80

// How long to wait for the machine to switch off: in an emulator, this may happen with a delay
#define POWER_OFF_STEPS   100
#define POWER_OFF_STEP_US 50000

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

int
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
	return COMMAND_DONE;
}

// Start programs, and leave the monitor so that the programs run. After a breakpoint, the monitor
// does not end: the programs run after the command `continue`.
int
mon_run(int argc, char **argv, struct Trapframe *tf)
{
	int started = 0;

	if (argc < 2)
		return COMMAND_USAGE;
	if (panicstr) {
		cprintf("Not after a panic.\n");
		return COMMAND_DONE;
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
	return started > 0 && !tf ? COMMAND_LEAVE : COMMAND_DONE;
}

int
mon_failalloc(int argc, char **argv, struct Trapframe *tf)
{
	return argc == 2 && failalloc_set(argv[1]) ? COMMAND_DONE : COMMAND_USAGE;
}

int
mon_audit(int argc, char **argv, struct Trapframe *tf)
{
	audit();
	return COMMAND_DONE;
}

int
mon_shutdown(int argc, char **argv, struct Trapframe *tf)
{
	acpi_power_off();
	outw(0x604, 0x2000);  // QEMU, if it was started without ACPI
	outw(0xB004, 0x2000); // Bochs
	for (int i = 0; i < POWER_OFF_STEPS; i++)
		udelay(POWER_OFF_STEP_US);
	cprintf("This machine cannot be switched off from here.\n");
	return COMMAND_DONE;
}
