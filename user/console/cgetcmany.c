// Reads what is typed up to a 'q', as fast as it comes, and says how much it was.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	int n = 0;

	cprintf("reading\n");
	while (sys_cgetc_wait() != 'q')
		n++;
	cprintf("read %d characters\n", n);
}
