// Prints the code of each key that it reads: keys,N reads N keys, and sleeps while it waits;
// keys,N,poll polls with sys_cgetc.

#include <inc/lib.h>

static int
read_key(bool poll)
{
	int c;

	while ((c = poll ? sys_cgetc() : sys_cgetc_wait()) == 0)
		sys_yield();
	return c;
}

void
umain(int argc, char **argv)
{
	int count = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
	bool poll = argc > 2 && strcmp(argv[2], "poll") == 0;

	cprintf("keys: reading %d\n", count);
	for (int i = 0; i < count; i++)
		cprintf("[%08x] key %03x\n", sys_getenvid(), read_key(poll));
	cprintf("keys: done\n");
}
