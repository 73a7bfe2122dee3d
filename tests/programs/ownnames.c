// Defines names that the library also defines: of its console, its strings, its exit, and the names
// in lib/fork.c that lab notes use. The library must use the program's definitions, too.

#include <inc/lib.h>

int pgfault, duppage, handler, line, batch, text, put; // Static names in the library

static int characters, lengths;

void
cputchar(int c)
{
	char text = c;

	characters++;
	sys_cputs(&text, 1);
}

int
getchar(void)
{
	static const char keys[] = "typed by itself\n";
	static int typed;

	return keys[typed++];
}

int
iscons(int fd)
{
	return fd == 0;
}

size_t
strlen(const char *s)
{
	const char *end = s;

	lengths++;
	while (*end)
		end++;
	return end - s;
}

void
exit(void)
{
	cprintf("exit of its own: %d characters, strlen %s\n", characters,
	    lengths > 0 ? "called" : "not called");
	sys_env_destroy(0);
}

void
umain(int argc, char **argv)
{
	char copy[20];
	const char *line = readline(NULL);

	strcpy(copy, line);
	cprintf("read: %s\n", copy);
	if (fork() == 0)
		cprintf("the child returns\n");
}
