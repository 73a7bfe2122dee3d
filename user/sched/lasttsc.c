// Waits until it is alone, and says what time it is: if two runs of the machine were the
// same, to the instruction, that is the same too.

#include <user/common/testing.h>

void
umain(int argc, char **argv)
{
	while (count_envs() > 1)
		sys_yield();
	cprintf("lasttsc: %016llx\n", read_tsc());
}
