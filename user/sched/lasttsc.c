// Waits until it is the only environment, and prints the time stamp counter. If the counter counts
// instructions, two runs that executed the same instructions print the same number.

#include <user/common/testing.h>

void
umain(int argc, char **argv)
{
	while (count_envs() > 1)
		sys_yield();
	cprintf("lasttsc: %016llx\n", read_tsc());
}
