// Tests round-robin scheduling: a parent and four children take turns, and the log of their turns
// is checked.

#include "turns.h"

#define CHILDREN 4

void
umain(int argc, char **argv)
{
	envid_t ids[CHILDREN + 1];
	int i, cpus;

	conform_begin("roundrobin");
	turns_begin();
	ids[0] = sys_getenvid();
	for (i = 1; i <= CHILDREN; i++)
		ids[i] = conform_clone(turns_take);
	for (i = 1; i <= CHILDREN; i++)
		CHECK_EQ(sys_env_set_status(ids[i], ENV_RUNNABLE), 0);
	turns_take();
	for (i = 1; i <= CHILDREN; i++)
		conform_wait(ids[i]);

	turns_check_progress(ids, CHILDREN + 1);
	turns_check_order(ids, CHILDREN + 1);
	cpus = turns_count_cpus();
	cprintf("roundrobin: ran on %d CPU(s)\n", cpus);
	conform_end();
}
