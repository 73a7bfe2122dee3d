// Makes as many system calls as it is told to, each of which takes the big lock once, and does
// next to nothing with it: for the monitor's lockstat.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	long calls = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;

	for (long i = 0; i < calls; i++)
		sys_page_unmap(0, UTEMP);
}
