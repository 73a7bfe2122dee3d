// When sys_env_destroy or sys_env_set_status returns, what was destroyed or stopped runs
// no more, whichever CPU had it: though it makes no call, and its time slice goes on. Nor is a
// call carried out any more that it was just making.

#include <user/common/testing.h>

#define ROUNDS 500

// Of so many children two make no calls. That takes long where there is one CPU.
#define ONE_OF 10

static volatile uint32_t *const count = (void *)0x10000000;

static void
count_for_ever(bool call)
{
	for (;;) {
		++*count;
		if (call) {
			sys_getenvid();
			sys_env_set_pgfault_upcall(0, (void *)*count);
		}
	}
}

// It has counted for the last time. Looks until the CPU that had the child has put it aside,
// whenever the machine below lets that happen. Without a call, which that CPU might wait for.
static void
check_rests(envid_t child, int round, const char *what)
{
	void *upcall = env_of(child)->env_pgfault_upcall;
	uint32_t then = *count;

	while (env_of(child)->env_oncpu)
		continue;
	if (*count != then)
		panic("round %d: %s, the child counted from %u to %u", round, what, then, *count);
	if (env_of(child)->env_pgfault_upcall != upcall)
		panic("round %d: %s, the child's call was carried out", round, what);
}

static void
play_round(int round)
{
	*count = 0;
	envid_t child = must_fork();
	if (child == 0)
		count_for_ever(round % ONE_OF > 1);
	while (*count < 50)
		sys_yield();
	if (round % ONE_OF == 1) {
		must(sys_env_set_status(child, ENV_NOT_RUNNABLE), "sys_env_set_status");
		check_rests(child, round, "stopped");
	}
	must(sys_env_destroy(child), "sys_env_destroy");
	check_rests(child, round, "destroyed");
}

void
umain(int argc, char **argv)
{
	share_memory((void *)count, PGSIZE);
	for (int round = 0; round < ROUNDS; round++)
		play_round(round);
	cprintf("gone: %d rounds\n", ROUNDS);
}
