// The console for programs, a character at a time.

#include <inc/lib.h>

void
cputchar(int c)
{
	char character = c;

	sys_cputs(&character, 1);
}

// Wait for a character. If an environment made this one runnable, wait again.
int
getchar(void)
{
	int c;

	while ((c = sys_cgetc_wait()) <= 0)
		continue;
	return c;
}

// Whether a file is the console. There is nothing else yet.
int
iscons(int fdnum)
{
	USED(fdnum);
	return 1;
}
