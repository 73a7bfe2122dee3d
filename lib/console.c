// Console input and output of programs, one character at a time.

#include <inc/lib.h>

void
cputchar(int c)
{
	char character = c;

	sys_cputs(&character, 1);
}

// Wait for a character and return it. The parent may make this environment runnable at any time,
// which ends the system call with an error. So the call is repeated until it returns a character.
int
getchar(void)
{
	int c;

	while ((c = sys_cgetc_wait()) <= 0)
		continue;
	return c;
}

// Return whether a file descriptor is the console. This is always true: lab 4 has no files.
int
iscons(int fdnum)
{
	USED(fdnum);
	return 1;
}
