// Splitting a command line, and reading the arguments of the monitor's commands. arguments.h
// describes the functions.

#include <inc/stdio.h>
#include <inc/string.h>

#include <kern/check/arguments.h>
#include <kern/env.h>
#include <kern/pmap.h>

int
split_line(char *line, char **argv, int most)
{
	int argc = 0;
	bool in_word = false;

	for (char *at = line; *at; at++) {
		bool blank = strchr(" \t\r\n", *at);
		if (!blank && !in_word && argc++ < most)
			argv[argc - 1] = at;
		if (blank)
			*at = '\0';
		in_word = !blank;
	}
	argv[MIN(argc, most)] = NULL;
	return argc;
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static bool
is_hex_prefix(const char *text)
{
	return text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
}

// Read all of the text as a number of 32 bits in this base.
static bool
number(const char *text, int base, uint32_t *result)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		int digit = digit_value(*text);
		if (digit >= base)
			return false;
		value = value * base + digit;
		if (value > UINT32_MAX)
			return false;
	}
	*result = value;
	return true;
}

bool
address_argument(const char *text, uint32_t *address)
{
	return number(is_hex_prefix(text) ? text + 2 : text, 16, address);
}

bool
count_argument(const char *text, uint32_t *count)
{
	bool hex = is_hex_prefix(text);

	return number(hex ? text + 2 : text, hex ? 16 : 10, count) && *count > 0;
}

bool
env_argument(const char *text, struct Env **e)
{
	uint32_t id;

	if (address_argument(text, &id) && id != 0 && envid2env(id, e, false) == 0)
		return true;
	cprintf("There is no environment '%s'. Type 'envs' for a list.\n", text);
	return false;
}

bool
pgdir_argument(const char *text, pde_t **pgdir, struct Env **e)
{
	*e = curenv;
	if (text && !env_argument(text, e))
		return false;
	*pgdir = *e ? (*e)->env_pgdir : kern_pgdir;
	return true;
}
