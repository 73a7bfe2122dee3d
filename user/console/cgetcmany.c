// Reads characters until a 'q', and prints how many.

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
