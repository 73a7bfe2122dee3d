// Prints each line that it reads: lines,N reads N lines.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	int count = argc > 1 ? strtol(argv[1], NULL, 10) : 1;

	for (int i = 0; i < count; i++) {
		const char *line = readline("line: ");

		cprintf("lines: %d characters: '%s'\n", strlen(line), line);
	}
	cprintf("lines: done\n");
}
