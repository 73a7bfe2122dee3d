// The monitor's Tab completes the names of commands, and of programs after `run`. Its Ctrl-P prints
// the environments. lib/readline.c calls these functions.

#include <inc/stdio.h>
#include <inc/string.h>

#include <kern/check/commands.h>
#include <kern/check/envcommands.h>
#include <kern/programs.h>

static const struct Command *commands;
static size_t ncommands;

// Return candidate number n for the word at line[word], or NULL after the last.
static const char *
candidate(const char *line, unsigned word, unsigned n)
{
	while (*line == ' ' && word > 0) {
		line++;
		word--;
	}
	if (word == 0)
		return n < ncommands ? commands[n].name : NULL;
	if (strncmp(line, "run ", 4) == 0 && n < (size_t)(programs_end - programs))
		return programs[n].name;
	return NULL;
}

void
completion_init(const struct Command *table, size_t n)
{
	commands = table;
	ncommands = n;
	readline_candidate = candidate;
	readline_show = print_envs;
}
