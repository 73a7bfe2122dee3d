#ifndef JOS_KERN_CHECK_COMMANDS_H
#define JOS_KERN_CHECK_COMMANDS_H

#include <inc/trap.h>

// The commands of the monitor that the lab does not ask for. The table in monitor.c names them all.

// A command's result.
enum {
	COMMAND_LEAVE = -1, // End the monitor
	COMMAND_DONE = 0,
	COMMAND_USAGE = 1, // Wrong arguments: print how to use the command
};

// A command gets its words, of which the first is its name, and monitor's trap frame.
typedef int command_t(int argc, char **argv, struct Trapframe *tf);

struct Command {
	const char *name;
	const char *arguments; // For the usage; "": the command takes no arguments
	const char *desc;
	command_t *func;
};

extern command_t mon_programs, mon_run, mon_failalloc, mon_audit, mon_shutdown; // commands.c
extern command_t mon_envs, mon_cpus, mon_kill;                                  // envcommands.c
extern command_t mon_showmappings, mon_setperm, mon_dump;                       // memcommands.c
extern command_t mon_step, mon_continue;                                        // step.c
extern command_t mon_memmap;                                                    // memmap.c
extern command_t mon_lockstat;                                                  // lockstat.c
extern command_t mon_trace;                                                     // traceprint.c

// completion.c: complete the commands in this table at Tab, and show the environments at Ctrl-P.
void completion_init(const struct Command *commands, size_t n);

#endif // JOS_KERN_CHECK_COMMANDS_H
