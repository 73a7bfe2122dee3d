// The console for programs, a character at a time.

#include <inc/lib.h>

void
cputchar(int c)
{
	char character = c;

	sys_cputs(&character, 1);
}

// Wait for a character, again if something else ended the wait.
int
getchar(void)
{
	int c;

	while ((c = sys_cgetc()) <= 0)
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
