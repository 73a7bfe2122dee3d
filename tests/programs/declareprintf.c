// Declares printf itself and takes its address.

#include <inc/lib.h>

extern int printf(const char *, ...);

void
umain(int argc, char **argv)
{
	int (*print)(const char *, ...) = printf;
	int n = print("%s%c", "by a pointer", '\n');

	printf("%d characters\n", n);
}
