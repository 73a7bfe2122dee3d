// Prints its arguments: `args,one,two`.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		cprintf("args: %d is '%s'\n", i, argv[i]);
	assert(argv[argc] == NULL);
	cprintf("args: done\n");
}
