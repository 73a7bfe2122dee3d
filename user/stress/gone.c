// Tests that a child does not run any more when sys_env_destroy or sys_env_set_status has returned,
// even if it was running on another CPU without system calls, in the middle of a time slice. A
// system call that the child was making at that time must have no effect either.

#include <user/common/testing.h>

#define ROUNDS 500

// In 2 of so many rounds, the child makes no system calls. On one CPU these rounds take long.
#define ONE_OF 10

static volatile uint32_t *const count = (void *)0x10000000;

static void
count_until_destroyed(bool call)
{
	for (;;) {
		++*count;
		if (call) {
			sys_getenvid();
			sys_env_set_pgfault_upcall(0, (void *)*count);
		}
	}
}

// Check that the child does not count any more, until the CPU that ran the child has left it. This
// makes no system calls: a call could wait until that CPU has left the child.
static void
check_stopped(envid_t child, int round, const char *what)
{
	void *upcall = env_of(child)->env_pgfault_upcall;
	uint32_t then = *count;

	while (env_of(child)->env_oncpu)
		continue;
	if (*count != then)
		panic("round %d: %s, the child counted from %u to %u", round, what, then, *count);
	if (env_of(child)->env_pgfault_upcall != upcall)
		panic("round %d: %s, the child's call had an effect", round, what);
}

static void
play_round(int round)
{
	*count = 0;
	envid_t child = must_fork();
	if (child == 0)
		count_until_destroyed(round % ONE_OF > 1);
	while (*count < 50)
		sys_yield();
	if (round % ONE_OF == 1) {
		must(sys_env_set_status(child, ENV_NOT_RUNNABLE), "sys_env_set_status");
		check_stopped(child, round, "stopped");
	}
	must(sys_env_destroy(child), "sys_env_destroy");
	check_stopped(child, round, "destroyed");
}

void
umain(int argc, char **argv)
{
	share_memory((void *)count, PGSIZE);
	for (int round = 0; round < ROUNDS; round++)
		play_round(round);
	cprintf("gone: %d rounds\n", ROUNDS);
}
