// Loops without end, without system calls: only Ctrl-C, or the monitor's command `kill`, ends it.

#include <inc/lib.h>

static volatile uint32_t rounds;

void
umain(int argc, char **argv)
{
	for (;;)
		rounds++;
}
