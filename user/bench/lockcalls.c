// Makes as many system calls as its argument says. Each call takes the big lock once, and holds it
// for a very short time. For the monitor's lockstat.

#include <inc/lib.h>

void
umain(int argc, char **argv)
{
	long calls = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;

	for (long i = 0; i < calls; i++)
		sys_page_unmap(0, UTEMP);
}
